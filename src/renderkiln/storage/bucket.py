"""Which bucket, where, and with which keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from renderkiln.storage.errors import Refused
from renderkiln.storage.key import check_prefix


@dataclass(frozen=True)
class Bucket:
    """A bucket of AWS, R2, MinIO, Supabase or another S3. Secrets are not in its `repr`.

    `endpoint` None is AWS. `path_style` puts the bucket in the path, as most others want it, AWS not.
    `prefix` is the folder of the bucket that is ours. `public_url` is where everybody may read what is below
    that prefix, such as R2's own domain for a bucket; None: the bucket's plain address.
    """

    name: str
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    endpoint: str | None = None
    region: str = "us-east-1"  # R2: "auto"
    path_style: bool = True
    prefix: str = ""
    public_url: str | None = None

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        if not self.name or not self.access_key or not self.secret_key:
            raise Refused("a bucket takes a name, an access key and a secret key: one of them is empty")
        parts = urlsplit(self.endpoint or "https://")
        if parts.scheme not in ("http", "https") or (self.endpoint and not parts.netloc) or parts.username:
            raise Refused("the endpoint of a bucket is a plain URL such as https://s3.example.org")

    @property
    def address(self) -> str:
        """The bucket's own URL, without a slash at its end."""
        whole = self.endpoint or f"https://s3.{self.region}.amazonaws.com"
        scheme, _, rest = whole.rstrip("/").partition("://")
        return f"{scheme}://{rest}/{self.name}" if self.path_style else f"{scheme}://{self.name}.{rest}"

    @property
    def place(self) -> str:
        """For messages."""
        return f"the bucket {self.name} at {urlsplit(self.address).netloc}"

    def url(self, key: str) -> str:
        return f"{self.address}/{quote(self.full(key), safe='/~')}"

    def public(self, key: str) -> str:
        return self.url(key) if self.public_url is None else f"{self.public_url.rstrip('/')}/{quote(key)}"

    def full(self, key: str) -> str:
        """The key as the bucket has it."""
        return f"{self.prefix}/{key}" if self.prefix else key
