# Fill the empty directory $1 with one of everything that a layer can hold.
# Runs on the host and inside containers: plain sh, coreutils, attr, acl and libcap2-bin.
set -eu
umask 022
cd "$1"

mkdir names
printf 'long\n' >"names/$(printf '%0255d' 7)"
printf 'latin-1\n' >"names/$(printf 'caf\351')"
printf 'no UTF-8\n' >"names/$(printf '\377\376')"
printf 'unicode\n' >'names/ÅΩ日本'
printf 'newline\n' >"names/$(printf 'new\nline')"
printf 'spaces\n' >'names/ around '
printf 'dash\n' >names/-n
printf 'backslash\n' >'names/back\slash'
mkdir -p "names/$(printf '%0120d' 1)/$(printf '%0120d' 2)"
printf 'deep\n' >"names/$(printf '%0120d' 1)/$(printf '%0120d' 2)/file"

mkdir modes
for mode in 0000 0001 0644 0755 1644 2755 4755 6777; do
  printf '%s\n' "$mode" >"modes/$mode"
  chmod "$mode" "modes/$mode"
done
mkdir -m 1777 modes/sticky
mkdir -m 2775 modes/setgid
mkdir -m 0000 modes/closed
mkdir modes/closed/inside
printf 'secret\n' >modes/closed/inside/file
printf 'program\n' >modes/owned-setuid
chown 1000:1001 modes/owned-setuid
chmod 6755 modes/owned-setuid

mkdir owners
printf 'big ids\n' >owners/big
chown 3000000:4000000 owners/big
mkdir owners/directory
chown 1000:1001 owners/directory
ln -s nowhere owners/symlink
chown -h 1000:1001 owners/symlink

mkdir links
printf 'several names\n' >links/a
ln links/a links/b
ln links/a names/hardlink
ln -s a links/symlink
ln -P links/symlink links/symlink-too
ln -s /absolute/target links/absolute
ln -s ../../../../above links/above
ln -s "$(printf '%0300d' 3)" links/long
mkfifo links/fifo
ln links/fifo links/fifo-too

mkdir special
mkfifo -m 0620 special/fifo
mknod -m 0666 special/null c 1 3
mknod -m 0640 special/block b 7 200
mknod special/large-numbers c 4095 1048575

mkdir xattrs
printf 'text\n' >xattrs/user
setfattr -n user.text -v 'some text' xattrs/user
setfattr -n user.bytes -v 0x00fffe80 xattrs/user
printf 'capable\n' >xattrs/capability
chmod 755 xattrs/capability
setcap cap_net_raw,cap_net_bind_service+ep xattrs/capability
printf 'acl\n' >xattrs/acl
setfacl -m u:1000:rw,g:1001:r xattrs/acl
mkdir xattrs/default-acl
setfacl -d -m u:1000:rwx xattrs/default-acl

mkdir sizes
: >sizes/empty
printf 'x' >sizes/one
head -c 512 /dev/zero >sizes/block
truncate -s 6M sizes/hole
printf 'middle' | dd of=sizes/sparse bs=1 seek=3000000 conv=notrunc status=none
truncate -s 5000001 sizes/sparse

mkdir times
printf 'old\n' >times/old
touch -d '1999-12-31 23:59:59.123456789 UTC' times/old
printf 'future\n' >times/future
touch -d '2200-01-01 00:00:00.5 UTC' times/future
printf 'epoch\n' >times/epoch
touch -d '1970-01-01 00:00:00 UTC' times/epoch
ln -s target times/symlink
touch -h -d '2001-02-03 04:05:06 UTC' times/symlink

# What the next layers change.
mkdir -p changes/gone/deep changes/replaced/old changes/kept changes/emptied changes/parents/of/the/change
for name in deleted rewritten linked chmodded chowned touched xattr file-to-dir file-to-symlink file-to-fifo same; do
  printf 'first %s\n' "$name" >"changes/$name"
done
printf 'gone\n' >changes/gone/deep/file
printf 'old\n' >changes/replaced/old/file
printf 'old\n' >changes/replaced/both
printf 'kept\n' >changes/kept/file
printf 'emptied\n' >changes/emptied/file
printf 'far down\n' >changes/parents/of/the/change/file
chmod 0750 changes/parents/of
chown 1000:1001 changes/parents/of/the
mkdir changes/dir-to-file changes/dir-to-symlink
printf 'inside\n' >changes/dir-to-file/inside
printf 'inside\n' >changes/dir-to-symlink/inside
ln -s kept changes/symlink-to-dir
ln -s kept changes/symlink-to-file
ln -s kept/file changes/symlink-retargeted
printf 'two names\n' >changes/broken-a
ln changes/broken-a changes/broken-b
touch -d '2020-06-01 12:00:00.987654321 UTC' times changes/kept
