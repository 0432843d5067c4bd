#!/usr/bin/env bash
# Prints a Secret with new random values. Once for each namespace: PostgreSQL keeps the first password that it was given.
set -euo pipefail
random() { head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
cat <<YAML
apiVersion: v1
kind: Secret
metadata:
  name: voiceassist
stringData:
  database-password: $(random)
  redis-password: $(random)
  token-secret: $(random)
YAML
