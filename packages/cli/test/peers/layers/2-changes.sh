# Change what the first layer made in $1: every kind of change, and every change of type.
set -eu
umask 022
cd "$1/changes"

rm deleted
rm -r gone
rm emptied/file
printf 'second\n' >rewritten
ln linked linked-across-layers
chmod 4711 chmodded
chown 1234:5678 chowned
touch -d '2010-10-10 10:10:10.101 UTC' touched
setcap cap_chown+ep xattr
printf 'second\n' >>broken-a
printf 'second\n' >parents/of/the/change/new

rm -r replaced
mkdir replaced
printf 'new\n' >replaced/both

rm file-to-dir file-to-symlink file-to-fifo symlink-to-dir symlink-to-file symlink-retargeted
mkdir file-to-dir symlink-to-dir
printf 'inside\n' >file-to-dir/inside
printf 'inside\n' >symlink-to-dir/inside
ln -s rewritten file-to-symlink
mkfifo file-to-fifo
printf 'a file now\n' >symlink-to-file
ln -s emptied symlink-retargeted
rm -r dir-to-file dir-to-symlink
printf 'a file now\n' >dir-to-file
ln -s kept dir-to-symlink

rm ../modes/closed/inside/file
printf 'another secret\n' >../modes/closed/inside/new
rm ../special/null
mkdir ../special/null
rm "../names/$(printf 'caf\351')"
ln "../names/$(printf '%0255d' 7)" ../names/short
