"""Prepared statements by which the directory is read."""

from sqlalchemy import Integer, and_, bindparam, func, or_, select

from callwright.storage.synchronous_reads import PreparedStatement
from callwright.storage.tables import (
    accounts,
    blacklist,
    directory_revision,
    employee_groups,
    employee_phones,
    employees,
    media_files,
    scenarios,
    schedules,
    tags,
    talk_options,
    trunks,
    virtual_numbers,
)

_ACCOUNT = bindparam("account", type_=Integer)

VIRTUAL_NUMBER = PreparedStatement(
    select(
        virtual_numbers.c.id,
        virtual_numbers.c.number,
        virtual_numbers.c.trunk,
        virtual_numbers.c.scenario,
        virtual_numbers.c.active.label("number_active"),
        virtual_numbers.c.locked,
    ).where(
        virtual_numbers.c.account_id == _ACCOUNT, virtual_numbers.c.number == bindparam("number")
    )
)

VIRTUAL_NUMBERS = PreparedStatement(
    select(
        virtual_numbers.c.id,
        virtual_numbers.c.number,
        virtual_numbers.c.trunk,
        virtual_numbers.c.scenario,
        virtual_numbers.c.active.label("number_active"),
        virtual_numbers.c.locked,
    )
    .where(virtual_numbers.c.account_id == _ACCOUNT)
    .order_by(virtual_numbers.c.id)
)

# An employee without phones is still an employee: one row, with nothing in the phone's columns.
_EMPLOYEE = (
    select(
        employees.c.id,
        employees.c.full_name,
        employees.c.coach,
        employees.c.call_recording,
        employees.c.status,
        employees.c.calls_out,
        employee_phones.c.id.label("phone_id"),
        employee_phones.c.number,
        employee_phones.c.kind,
        employee_phones.c.contact,
        employee_phones.c.dial_time,
        employee_phones.c.active,
        employee_phones.c.password.is_not(None).label("registers"),
        employee_phones.c.srtp,
        employee_phones.c.channels,
        employee_phones.c.number_origin,
    )
    .join_from(employees, employee_phones, isouter=True)
    .where(employees.c.account_id == _ACCOUNT, employees.c.active)
    .order_by(employee_phones.c.priority)
)

EMPLOYEE_BY_ID = PreparedStatement(_EMPLOYEE.where(employees.c.id == bindparam("employee")))

EMPLOYEE_BY_NUMBER = PreparedStatement(
    _EMPLOYEE.where(
        employees.c.id
        == select(employee_phones.c.employee_id)
        .where(
            employee_phones.c.account_id == _ACCOUNT,
            employee_phones.c.number == bindparam("number"),
            employee_phones.c.active,
        )
        .scalar_subquery()
    )
)

OWN_NUMBERS = PreparedStatement(select(virtual_numbers.c.number).limit(1000))

TAG = PreparedStatement(
    select(tags.c.id, tags.c.name).where(
        tags.c.account_id == _ACCOUNT, tags.c.id == bindparam("tag")
    )
)

TALK_OPTIONS = PreparedStatement(
    select(
        talk_options.c.button, talk_options.c.mnemonic, talk_options.c.name, talk_options.c.value
    )
    .where(talk_options.c.account_id == _ACCOUNT)
    .order_by(talk_options.c.position)
)

_MEDIA_FILE = select(
    media_files.c.id,
    media_files.c.account_id,
    media_files.c.name,
    media_files.c.duration,
    media_files.c.file_name,
)

MEDIA_FILE_BY_ID = PreparedStatement(
    _MEDIA_FILE.where(
        media_files.c.id == bindparam("file"),
        or_(media_files.c.account_id == _ACCOUNT, media_files.c.account_id.is_(None)),
    )
)

MEDIA_FILE_BY_NAME = PreparedStatement(
    _MEDIA_FILE.where(media_files.c.account_id == _ACCOUNT, media_files.c.name == bindparam("name"))
)

_OWNED = select(
    virtual_numbers.c.id,
    virtual_numbers.c.number,
    virtual_numbers.c.trunk,
    virtual_numbers.c.scenario,
    virtual_numbers.c.active.label("number_active"),
    virtual_numbers.c.locked,
    accounts.c.id.label("account_id"),
    accounts.c.name,
    accounts.c.active,
    accounts.c.directions,
    accounts.c.allowed_numbers,
    accounts.c.timezone,
).join_from(virtual_numbers, accounts)

OWNER = PreparedStatement(_OWNED.where(virtual_numbers.c.number == bindparam("number")))

_REGISTERED = and_(
    employee_phones.c.number == bindparam("number"), employee_phones.c.password.is_not(None)
)
_USED = virtual_numbers.alias("used")
_IN_USE = and_(_USED.c.active, _USED.c.locked.is_(False))
_LINES_OWN = (
    select(_USED.c.id)
    .join_from(employee_phones, _USED, _USED.c.number == employee_phones.c.virtual_number)
    .where(_REGISTERED, _USED.c.account_id == employee_phones.c.account_id, _IN_USE)
    .scalar_subquery()
)
_FIRST_IN_USE = (
    select(_USED.c.id)
    .where(
        _USED.c.account_id
        == select(employee_phones.c.account_id).where(_REGISTERED).scalar_subquery(),
        _IN_USE,
    )
    .order_by(_USED.c.id)
    .limit(1)
    .scalar_subquery()
)

HOME_OF_PHONE = PreparedStatement(
    _OWNED.where(virtual_numbers.c.id == func.coalesce(_LINES_OWN, _FIRST_IN_USE))
)

SCHEDULE = PreparedStatement(
    select(schedules.c.name, schedules.c.periods).where(
        schedules.c.account_id == _ACCOUNT, schedules.c.id == bindparam("schedule")
    )
)

SCENARIO = PreparedStatement(
    select(scenarios.c.name, scenarios.c.branches).where(
        scenarios.c.account_id == _ACCOUNT, scenarios.c.id == bindparam("scenario")
    )
)

_GROUP = select(
    employee_groups.c.id,
    employee_groups.c.name,
    employee_groups.c.employees,
    employee_groups.c.number,
    employee_groups.c.queue,
    employee_groups.c.channels,
    employee_groups.c.phone_order,
).where(employee_groups.c.account_id == _ACCOUNT)

GROUP_BY_NAME = PreparedStatement(_GROUP.where(employee_groups.c.name == bindparam("name")))

GROUP_BY_NUMBER = PreparedStatement(_GROUP.where(employee_groups.c.number == bindparam("number")))

SYSTEM_MEDIA_FILE = PreparedStatement(
    _MEDIA_FILE.where(media_files.c.account_id.is_(None), media_files.c.name == bindparam("name"))
)

BLACKLISTED = PreparedStatement(
    select(blacklist.c.id).where(
        blacklist.c.account_id == _ACCOUNT, blacklist.c.number == bindparam("number")
    )
)

TRUNKS = PreparedStatement(
    select(
        trunks.c.name,
        trunks.c.host,
        trunks.c.port,
        trunks.c.transport,
        trunks.c.tls_verify,
        trunks.c.tls_ca,
        trunks.c.user,
        trunks.c.password,
        trunks.c.from_user,
        trunks.c.from_domain,
        trunks.c.symmetric_rtp,
        trunks.c.country,
        trunks.c.national_prefix,
        trunks.c.caller_id_header,
        trunks.c.register,
        trunks.c.expires,
        trunks.c.options_ping,
        trunks.c.srtp,
    )
    .where(trunks.c.active)
    .order_by(trunks.c.account_id, trunks.c.position)
)

OWN_TRUNK = PreparedStatement(
    select(trunks.c.id).where(
        trunks.c.account_id == _ACCOUNT, trunks.c.name == bindparam("name"), trunks.c.active
    )
)

SIP_ACCOUNTS = PreparedStatement(
    select(employee_phones.c.number, employee_phones.c.password, employee_phones.c.srtp)
    .join_from(employee_phones, employees)
    .join(accounts, accounts.c.id == employee_phones.c.account_id)
    .where(
        employee_phones.c.password.is_not(None),
        employee_phones.c.active,
        employees.c.active,
        accounts.c.active,
    )
)

REVISION = PreparedStatement(select(directory_revision.c.revision))
