# Change a few things in what busybox.sh made of $1: edit, delete, add, replace a directory. Times are fixed, so that
# the same change gives the same layer.
set -eu
umask 022
cd "$1"

printf 'changed\n' >etc/hostname
rm etc/version
printf 'changed\n' >etc/motd
rm -r etc/skel
mkdir etc/skel
printf 'new\n' >etc/skel/new
cat >srv/program <<'PROGRAM'
#!/bin/sh
cat /etc/motd
[ -e /etc/version ] || echo 'no version'
PROGRAM
chmod 0755 srv/program
touch -d '2024-05-06 07:08:09.101112131 UTC' \
  etc/hostname etc/motd etc/skel/new etc/skel srv/program etc srv
