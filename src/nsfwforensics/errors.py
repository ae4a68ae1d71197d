"""One exception tree and the exit codes it leads to.

::

    ForensicsError                 1  something went wrong that is nobody's usage mistake
    ├── UsageError                 2  the command line or settings ask for something impossible
    │   └── EnrolmentError        2  what a run is prepared with (a reference, an original) cannot be used
    ├── NothingFoundError          6  no picture, or no file at all, lies where it was looked
    ├── MissingDependencyError     3  a model, an optional extra or a named device is not there
    │   └── DeviceUnavailableError 3  a device asked for by name is missing
    ├── WeightsError               3  a weights file is absent, altered or not understood
    ├── EvidenceError              4  one file cannot be examined; the batch goes on
    │   ├── NotAnImageError        4  the content is no image format that is known here
    │   └── LimitExceededError     4  the file is larger than the limits allow
    ├── ReportError                1  a saved report cannot be read or written
    ├── HashListError              1  a list or an index of known hashes cannot be read or written
    ├── CaseError                  1  a case database cannot be read or written, or is not as this tool makes it
    ├── BusyError                  1  another run is writing to the same folder
    └── CustodyError               1  an evidence bag, a key or a signature cannot be made, read or used

Exit codes that are not exceptions: 0 done, 4 some files failed, 5 ``--fail-on`` reached, 6 no picture was found,
130 interrupted (what was done is kept).
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells the shell. Findings alone never change it, but for ``--fail-on``."""

    DONE = 0
    ERROR = 1
    USAGE = 2
    MISSING = 3
    SOME_FAILED = 4
    FAIL_ON = 5
    NO_PICTURES = 6
    INTERRUPTED = 130


class ForensicsError(Exception):
    """Base of every error raised on purpose by this package."""

    exit_code: ExitCode = ExitCode.ERROR

    @property
    def message(self) -> str:
        """What it was raised with: a message that can be said in another language stays one, as ``str`` would not."""
        return self.args[0] if self.args and isinstance(self.args[0], str) else str(self)


class UsageError(ForensicsError):
    """The request cannot be met as written; the message says how to mend it."""

    exit_code = ExitCode.USAGE


class EnrolmentError(UsageError):
    """A reference photo holds no usable face, or several with no choice made."""


class NothingFoundError(ForensicsError):
    """No picture, or no file at all, lies in the places that were named."""

    exit_code = ExitCode.NO_PICTURES


class MissingDependencyError(ForensicsError):
    """A model, an optional extra or a device that was asked for is not there."""

    exit_code = ExitCode.MISSING


class DeviceUnavailableError(MissingDependencyError):
    """A compute device asked for by name does not exist on this machine."""


class WeightsError(ForensicsError):
    """A weights file is absent, does not match its SHA-256, or has an unknown layout."""

    exit_code = ExitCode.MISSING


class EvidenceError(ForensicsError):
    """This one file cannot be examined; the message is the reason shown in the report."""

    exit_code = ExitCode.SOME_FAILED


class NotAnImageError(EvidenceError):
    """The content matches no image format known here, whatever the name says."""


class LimitExceededError(EvidenceError):
    """The file asks for more bytes or pixels than the limits allow."""


class TooLargeError(LimitExceededError):
    """The file has more bytes than are read of one."""


class ReportError(ForensicsError):
    """A saved report is missing, not of a known schema version, or cannot be written."""


class HashListError(ForensicsError):
    """A list or an index of known hashes cannot be read, is damaged, or cannot be written."""


class CaseError(ForensicsError):
    """A case database is missing, foreign, tampered with, damaged, busy, full, read-only or of a newer version."""


class BusyError(ForensicsError):
    """Another run is writing to the folder that was named for output."""


class CustodyError(ForensicsError):
    """An evidence bag, a key, a signature or a timestamp cannot be made, read or used."""
