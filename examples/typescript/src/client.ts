// A client of the Call API: every method by its name, with the types of src/methods.ts.
import type { Methods } from "./methods.js";

export type Params<M extends keyof Methods> = Omit<Methods[M]["params"], "access_token">;
export type Result<M extends keyof Methods> = Methods[M]["result"]["data"];

export class CallwrightError extends Error {
  constructor(
    readonly code: number,
    message: string,
    // What to branch on, and the parameter to blame, if one is.
    readonly mnemonic: string,
    readonly field: string | null,
  ) {
    super(message);
  }
}

export class Callwright {
  // url: of the API, such as http://127.0.0.1:8080/v4.0
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  // Throws CallwrightError.
  async call<M extends keyof Methods>(method: M, params: Params<M>): Promise<Result<M>> {
    const answer = await fetch(this.url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${this.token}` },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    });
    const told = await answer.json();
    if (told.error) {
      const { code, message, data } = told.error;
      throw new CallwrightError(code, message, data.mnemonic, data.field);
    }
    return told.result.data;
  }
}
