import { tar } from "../../tar/encode.ts";
import { dir, file } from "../../tar/entries.ts";

const text = Array.from({ length: 12 }, (_, line) => `${line}: ${(line * line * 7919).toString(36)}\n`).join(
  "",
);

/** A small archive, and how its tree is described. */
export const archive: Buffer = tar(dir("d"), file("d/f", text));
export const archiveTree: readonly string[] = ["d/", `d/f = ${text.length} bytes`];

/** The same as `gzip -9`, `bzip2 -9`, `xz -9` and `zstd -19` write it. */
export const compressed: Readonly<Record<"gzip" | "bzip2" | "xz" | "zstd", Buffer>> = {
  gzip: Buffer.from(
    "H4sIAAAAAAACA+3R2wrCMAwG4F7nKfIGNmt6MG+zOSc6mFqP7Okt240MvHNDod9NSilpwl+r+enEWzvUZFrHszfsLNvx3jMZhXaB2dTtci1j" +
      "+vIbS74v9yfqVbNI/o75Y/5k7DR/x6RQ5/znz0ZQAwk600MheGweYARp30dgweIUW7CCHGIFbnilwQuGattBECzvRYC1YH1+RqDUa9dTAEr9" +
      "2sOmA5VlWZb9qheBWIGDAAoAAA==",
    "base64",
  ),
  bzip2: Buffer.from(
    "QlpoOTFBWSZTWbOZIPUAAILbkMyQQAD/9AAC/7n/0AQAAAgwALmwaoyGmQAAAADR6g1T00aiM0JkZGAAJgEkgp5I00Bpk0aAAGkjdc6qODMF" +
      "EgSpq7mIzzcFBle4mJMI6S1v/fYduMZSncDMBpiVsJNkiPEqRgW++BeMIgYV+5gX581wcmo7AR2B4llEKA6hGaBgRECmsC2uGSk4mQ4ZtJ1I" +
      "UqfJ1t58MeiC13qYNW6dnewSfjk0OHIK6NZAgsIWWQ+K4Afi7kinChIWcyQeoA==",
    "base64",
  ),
  xz: Buffer.from(
    "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4An/AKldADIAM1AYaInDD90ibjpCa9qtNL0rdFYVJX15ailIQbzrUzjjgqMS1xxo70NRVYxIUyr8" +
      "TVXNRJlY6T0AraUGsLVCUIKTB/PTklFzK4rG7XuDh2XPmba90HOTPXY8DIShfbK6vUkIdFlWL9sodWQLCDlsdO9gBitk1LNPinGKu0n7btKs" +
      "y0gUGNFHy9FKXc96EWk0xzAlV0wwrLJ9OWd/LyZ3Fk4BQwV/UMAAAAAAuhV1rGiVyuAAAcUBgBQAAP3PZkmxxGf7AgAAAAAEWVo=",
    "base64",
  ),
  zstd: Buffer.from(
    "KLUv/QRozQQAksgaGHBvAxDRIicfT9zU/78MWtpWZR0APTBOAalNsTD73Qr7Sva5NVqQsS8oDKhhH2pzEHD/KTslIvT9pkx8gn3XeCm9z7RC" +
      "nP1AL+b2W3mfebPdNdbuDgGMZM44SNGUbZO1P27enLPH2drjNAIQIFArLCwWA/3s/MJU0GAqjLhdnBgwdRJQBkYCIx1QOi/sGAAEBg2wn1Yb" +
      "C42bIQ==",
    "base64",
  ),
};
