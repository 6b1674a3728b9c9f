/** What the layers are filled with: versions are exact where the registry lets them be. */

/** Debian packages of the second layer: many small files, many headers, a few large binaries. */
export const debianPackages = [
  "build-essential",
  "git",
  "git-doc",
  "perl-doc",
  "python3-doc",
  "python3",
  "vim",
] as const;

/** npm packages of the third layer: tens of thousands of small files. */
export const npmPackages = {
  "@mui/material": "5.15.21",
  antd: "5.20.0",
  "aws-sdk": "2.1692.0",
  "core-js": "3.38.1",
  "date-fns": "3.6.0",
  eslint: "9.9.0",
  jest: "29.7.0",
  lodash: "4.17.21",
  react: "18.3.1",
  "react-dom": "18.3.1",
  rxjs: "7.8.1",
  three: "0.168.0",
  typescript: "5.9.3",
  webpack: "5.101.0",
} as const;
