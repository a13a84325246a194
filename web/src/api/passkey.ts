// WebAuthn between the server's JSON and the browser's buffers.
// Enters: options as JSON (bare or under `publicKey`). Leaves: credentials as JSON.
// Source: Web Authentication Level 3, sections 5.1.8 to 5.1.11.

import { api } from "./client";
import type { Session } from "./types";

export function passkeysPossible(): boolean {
  return window.isSecureContext && "PublicKeyCredential" in window;
}

export async function registerPasskey(label: string): Promise<void> {
  const options = inner(await api.passkeyRegisterBegin());
  const publicKey = {
    ...options,
    challenge: buffer(options["challenge"]),
    user: withBufferId(options["user"]),
    excludeCredentials: list(options["excludeCredentials"]),
  } as unknown as PublicKeyCredentialCreationOptions;
  const made = await navigator.credentials.create({ publicKey });
  await api.passkeyRegisterFinish(label, json(made as PublicKeyCredential));
}

export async function signInWithPasskey(name: string): Promise<Session> {
  const options = inner(await api.passkeySignInBegin(name));
  const publicKey = {
    ...options,
    challenge: buffer(options["challenge"]),
    allowCredentials: list(options["allowCredentials"]),
  } as unknown as PublicKeyCredentialRequestOptions;
  const got = await navigator.credentials.get({ publicKey });
  return api.passkeySignInFinish(json(got as PublicKeyCredential));
}

type Json = Record<string, unknown>;

function inner(options: unknown): Json {
  const outer = options as Json;
  return (outer["publicKey"] as Json | undefined) ?? outer;
}

function list(descriptors: unknown): unknown[] {
  return Array.isArray(descriptors) ? descriptors.map(withBufferId) : [];
}

function withBufferId(value: unknown): unknown {
  const object = value as Json;
  return { ...object, id: buffer(object["id"]) };
}

function buffer(text: unknown): ArrayBuffer {
  const base64 = String(text).replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  return bytes.buffer;
}

function text(value: ArrayBuffer | null): string | null {
  if (!value) return null;
  const raw = String.fromCharCode(...new Uint8Array(value));
  return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function json(credential: PublicKeyCredential): Json {
  const response = credential.response;
  const out: Json = { clientDataJSON: text(response.clientDataJSON) };
  if ("attestationObject" in response) {
    const attested = response as AuthenticatorAttestationResponse;
    out["attestationObject"] = text(attested.attestationObject);
    out["transports"] = attested.getTransports?.() ?? [];
  } else {
    const asserted = response as AuthenticatorAssertionResponse;
    out["authenticatorData"] = text(asserted.authenticatorData);
    out["signature"] = text(asserted.signature);
    out["userHandle"] = text(asserted.userHandle);
  }
  return {
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: out,
  };
}
