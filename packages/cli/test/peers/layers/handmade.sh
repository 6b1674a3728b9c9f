# Write to the directory $1 layer tars of the kind that only a person or an odd tool makes, in every tar format.
set -eu
umask 022
work="$1/work"
mkdir "$work"
cd "$work"
pack() { tar --create --numeric-owner --file "$out" "$@"; }
append() { tar --append --numeric-owner --no-recursion --file "$out" "$@"; }

# 1: what the next layers act on.
out=../1.tar
mkdir -p base/sub opaque-first opaque-last hidden files
for path in base/file base/sub/file opaque-first/lower opaque-last/lower hidden/a hidden/b; do
  printf 'lower %s\n' "$path" >"$path"
done
for name in removed linked device twice; do printf 'lower %s\n' "$name" >"files/$name"; done
chmod 0750 base
chown 1000:1001 base base/file
pack --format=ustar base opaque-first opaque-last hidden files
rm -r ./*

# 2: whiteouts in odd places.
out=../2.tar
mkdir -p files opaque-first opaque-last
pack --format=posix --no-recursion files
: >files/.wh.removed
: >files/.wh.never-there
mknod files/device c 0 0
append --format=posix files/.wh.removed files/.wh.never-there files/device
# An opaque mark hides only what lies below, wherever among its siblings it stands.
: >opaque-first/.wh..wh..opq
printf 'upper\n' >opaque-first/upper
append --format=posix opaque-first opaque-first/.wh..wh..opq opaque-first/upper
: >opaque-last/.wh..wh..opq
printf 'upper\n' >opaque-last/upper
append --format=posix opaque-last opaque-last/upper opaque-last/.wh..wh..opq
rm -r ./*

# 3: GNU's own long names and long links; names that begin in unusual ways.
out=../3.tar
long="$(printf '%0150d' 1)/$(printf '%0150d' 2)"
mkdir -p "$long" odd
printf 'long\n' >"$long/file"
ln -s "$(printf '%0250d' 3)" "$long/symlink"
pack --format=gnu ./*
append --format=gnu --absolute-names --transform='s,^odd,/odd/absolute,' odd
append --format=gnu --transform='s,^odd,odd/./../odd//slashes,' odd
rm -r ./*

# 4: PAX with nanoseconds, sparse files of version 1.0, extended attributes, an entry of the root itself.
out=../4.tar
truncate -s 3000000 sparse-pax
printf 'data' | dd of=sparse-pax bs=1 seek=2000000 conv=notrunc status=none
printf 'attributes\n' >attributes
setfattr -n user.name -v value attributes
touch -d '2020-02-02 02:02:02.020202020 UTC' attributes
chmod 0711 .
touch -d '2021-01-01 00:00:00.5 UTC' .
pack --format=posix --sparse --sparse-version=1.0 --xattrs .
chmod 0755 .
rm -r ./*

# 5: the oldest format, with hardlinks before and after.
out=../5.tar
printf 'v7\n' >seven
ln seven seven-too
ln -s seven seven-symlink
pack --format=v7 seven seven-too seven-symlink

# 6: no entry at all.
out=../6.tar
pack --files-from=/dev/null

# 7: no entries of parents, of which some are in the layer below and some nowhere; a whiteout of what this very layer
# brings, after it; and what Docker refuses: duplicate entries, and a hardlink to a file of the layer below.
out=../7.tar
mkdir -p base/sub made/on/the/way hidden files
printf 'upper\n' | tee base/sub/new made/on/the/way/file >hidden/c
: >.wh.hidden
printf 'first\n' >files/twice
mkfifo files/thrice
pack --format=posix --no-recursion base/sub/new made/on/the/way/file hidden hidden/c .wh.hidden files/twice files/thrice
rm files/thrice
printf 'second and longer\n' >files/twice
printf 'a file in the end\n' >files/thrice
append --format=posix files/twice files/thrice
# The link is archived with its file, and the file then taken out of the archive.
printf 'lower linked\n' >files/linked
ln files/linked files/another-name
append --format=posix files/linked files/another-name
tar --delete --file "$out" files/linked
rm -r ./* ./.wh.*

# 8: GNU's own sparse files, which only tar itself reads: one of a few pieces, one of more than a header has room for.
out=../8.tar
truncate -s 3000000 sparse
printf 'data' | dd of=sparse bs=1 seek=1500000 conv=notrunc status=none
for piece in $(seq 0 40); do
  printf 'piece %s' "$piece" | dd of=pieces bs=1 seek=$((piece * 100000)) conv=notrunc status=none
done
pack --format=gnu --sparse sparse pieces
cd ..
rm -r work
