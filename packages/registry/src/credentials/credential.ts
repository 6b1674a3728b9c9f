/** What a registry, or its token server, takes as proof of who asks. */
export type Credential = PasswordCredential | IdentityTokenCredential;

export interface PasswordCredential {
  readonly username: string;
  readonly password: string;
}

/** A token that a token server gave instead of a password; it is worth nothing to the registry itself. */
export interface IdentityTokenCredential {
  readonly identityToken: string;
}

/** The user name by which credential helpers mark a secret as an identity token. */
export const tokenUsername = "<token>";

/** The value of an `Authorization` header, RFC 7617. */
export function basicAuthorization({ username, password }: PasswordCredential): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
