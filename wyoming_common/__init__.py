"""What the services and the satellite share."""

import os

# ONNX Runtime tells its maker how it is used, from its import on, unless it was told not to.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
