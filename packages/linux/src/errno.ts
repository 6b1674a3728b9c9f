import { constants } from "node:os";

export const { EAGAIN, EBADF, EINTR, EINVAL, ENAMETOOLONG, ENODATA, ENOENT, ENOTDIR, ENXIO } =
  constants.errno;
