"""What a report is and how one file travels; knows no algorithm and no format."""
