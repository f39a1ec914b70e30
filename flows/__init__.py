"""What happens, in which order, how often, and what if it fails: the only room that knows Prefect."""

import os

# Read when Prefect is first imported. A run without a server starts a private one, which must not phone anywhere.
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
# Its own 20 seconds are short on a machine that is busy with something else.
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
