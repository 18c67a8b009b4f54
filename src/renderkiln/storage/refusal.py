"""What the errors of obstore mean: it tells a server's answer in words only, so these are read here."""

from __future__ import annotations

import re

from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError

from renderkiln.storage.errors import Full, Missing, Refused, StorageError, Taken, Unavailable

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>\s*(\w{1,60})\s*</Code>")
_CAUSES = (
    ("certificate", "its certificate is not trusted: check the endpoint, or add its authority to the system"),
    ("dns error", "its name cannot be resolved: check the endpoint and the network"),
    ("Connection refused", "nothing listens there: check the endpoint, and that the server runs"),
    ("TimedOut", "it did not answer in time"),
)
_HINTS = {
    "AccessDenied": "its policy does not allow this: give the access key the right to",
    "InvalidAccessKeyId": "it does not know the access key: check it",
    "SignatureDoesNotMatch": "the secret key is wrong: check it, and the region",
    "AuthorizationHeaderMalformed": "the region is wrong: check it",
    "ExpiredToken": "the session token has expired: get a new one",
    "InvalidToken": "the session token is wrong: check it",
    "RequestTimeTooSkewed": "the clocks of the two machines differ by minutes: set this one's",
    "NoSuchBucket": "there is no such bucket: create it, or check its name",
    "PermanentRedirect": "the bucket is in another region: check the region and the endpoint",
    "QuotaExceeded": "its quota is used up: make room",
    "EntityTooLarge": "the file is larger than it takes",
}
_AGAIN = {"RequestTimeout", "SlowDown", "NoSuchUpload", "OperationAborted", "ConditionalRequestConflict"}
_AGAIN_STATUS = {408, 409, 425, 429}

Raised = (BaseError, FileNotFoundError)  # all that obstore raises once a request is on its way


def meaning(error: BaseException, place: str, key: str) -> StorageError:
    """What an error of `Raised` means. None of its own text gets out: it may hold the query of a URL."""
    text = str(error)
    status = int(found[1]) if (found := _STATUS.search(text)) else None
    code = found[1] if (found := _CODE.search(text)) else None
    if isinstance(error, AlreadyExistsError):
        return Taken(f"something is stored under {key!r} already")
    if isinstance(error, FileNotFoundError) and code in (None, "NoSuchKey"):
        return Missing(f"nothing is stored under {key!r} in {place}")
    if code in _AGAIN or status in _AGAIN_STATUS or (status or 0) >= 500:
        return Unavailable(
            f"{place} answered {status} {code or ''}".rstrip() + ": it is busy or out of order"
        )
    if code in ("QuotaExceeded", "InsufficientStorage", "XMinioStorageFull"):
        return Full(f"no space is left in {place}: {_HINTS['QuotaExceeded']}")
    if status is None and not isinstance(error, (PermissionDeniedError, UnauthenticatedError)):
        return Unavailable(f"{place} cannot be reached: {_cause(text)}")
    hint = _HINTS.get(code or "", "check its address, the access key and what it may do")
    return Refused(f"{place} answered {status or 'no'} {code or ''}".rstrip() + f": {hint}")


def _cause(text: str) -> str:
    return next((said for sign, said in _CAUSES if sign in text), "the connection broke off")
