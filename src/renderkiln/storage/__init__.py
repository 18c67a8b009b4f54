"""Where finished files (artifacts) and uploaded ones (assets) are kept: a local folder, or a bucket of S3."""
