import { constants } from "node:os";

export const { EAGAIN, EBADF, EINTR, EINVAL, ENODATA, ENOENT, ENOTDIR, ENXIO } = constants.errno;
