#!/bin/sh
# Makes the namespace in which the runs live, and what operators can search them by. Harmless to repeat.
set -eu

# How long a closed run can still be looked at in the UI.
RETENTION=168h

# The server, and then the new namespace, are known to all of its parts only after some seconds.
retry() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || exit 1
    sleep 1
  done
}

retry temporal operator cluster health
temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" > /dev/null 2>&1 \
  || temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
for name in AssistantId ThreadId ProjectId Model RunStatus VectorStoreId FileId FileStatus; do
  retry temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$name" --type Keyword
done
