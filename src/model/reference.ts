declare const brand: unique symbol;
/** A canonical image reference: `docker.io/library/nginx:latest`, or with `@sha256:…` instead of the tag. */
export type Reference = string & { readonly [brand]: "Reference" };
