// Rings employee 1 and then a contact, and tells how it goes:
//
//     node out/first_call.js http://127.0.0.1:8080/v4.0 TOKEN
import { Callwright, CallwrightError } from "./client.js";

const [url, token] = process.argv.slice(2);
if (!url || !token) throw new Error("url and token are needed");
const api = new Callwright(url, token);

const { call_session_id } = await api.call("start.employee_call", {
  first_call: "employee",
  employee: { id: 1 },
  contact: "79000010005",
  virtual_phone_number: "74990000001",
});
const live = await api.call("list.calls", {});
const legs = live.find((one) => one.call_session_id === call_session_id)?.legs ?? [];
console.log(`${legs.length} leg is rung: ${legs.map((leg) => leg.called_phone_number).join()}`);

try {
  await api.call("release.call", { call_session_id: 1 });
} catch (fault) {
  if (!(fault instanceof CallwrightError)) throw fault;
  console.log(`${fault.mnemonic}: ${fault.field}`);
}
