"""Contact lookup: who of the account's contacts has a number."""

from sqlalchemy import Integer, bindparam, select

from callwright.directory.model import KnownContact
from callwright.storage.synchronous_reads import PreparedStatement, RowsAtHand
from callwright.storage.tables import contact_memberships, contact_numbers, contacts

# In two steps, each of which an index answers: joined and put in order, SQLite might rather look
# through all contacts of the account.
_BY_NUMBER = PreparedStatement(
    select(contacts.c.id, contacts.c.full_name).where(
        contacts.c.id
        == select(contact_numbers.c.contact_id)
        .where(
            contact_numbers.c.account_id == bindparam("account", type_=Integer),
            contact_numbers.c.number == bindparam("number"),
        )
        .order_by(contact_numbers.c.contact_id)
        .limit(1)
        .scalar_subquery()
    )
)

_GROUPS = PreparedStatement(
    select(contact_memberships.c.group_id)
    .where(contact_memberships.c.contact_id == bindparam("contact"))
    .order_by(contact_memberships.c.group_id)
)


async def contact_by_number(rows: RowsAtHand, account: int, number: str) -> KnownContact | None:
    """The contact that has this number; of several, the one of the lowest id."""
    found = await rows.read(_BY_NUMBER, {"account": account, "number": number})
    if not found:
        return None
    groups = await rows.read(_GROUPS, {"contact": found[0].id})
    return KnownContact(found[0].id, found[0].full_name, tuple(one.group_id for one in groups))
