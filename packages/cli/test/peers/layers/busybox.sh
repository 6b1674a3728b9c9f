# Fill the empty directory $1 with a root file system that is small and can run programs.
set -eu
umask 022
cd "$1"

mkdir -p bin etc/skel srv
cp /bin/busybox bin/busybox
ln -s busybox bin/sh
ln -s busybox bin/cat
printf 'small\n' >etc/hostname
printf '1.0\n' >etc/version
printf 'old\n' | tee etc/skel/.profile >etc/skel/.shrc
