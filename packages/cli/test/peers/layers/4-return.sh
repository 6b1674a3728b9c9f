# Bring back in $1 what the second layer removed, and remove what it brought.
set -eu
umask 022
cd "$1/changes"

printf 'back\n' >deleted
mkdir -p gone/deep
printf 'another\n' >gone/deep/other
rm replaced/both
printf 'third\n' >replaced/third
rm -r file-to-dir symlink-to-dir
printf 'a file again\n' >file-to-dir
ln -s replaced symlink-to-dir
rm dir-to-file dir-to-symlink
mkdir dir-to-file dir-to-symlink
printf 'inside again\n' >dir-to-file/inside
mv kept renamed
rm linked
chmod 0700 parents/of/the
rmdir ../special/null
mknod -m 0600 ../special/null c 1 3
