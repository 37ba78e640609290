#!/usr/bin/env bash
# Installs Slurm and munge from Debian's packages where that is allowed; without, the tests skip.
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get update && DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends slurm-wlm munge; } >/dev/null 2>&1 && exit 0
fi
echo "slurm-wlm and munge could not be installed: the tests on Slurm are skipped"
