//! Looking for users and accounts by how something begins: the same rows in the same order on every database.

use domain::accounts::{Account, AccountSearch};
use domain::identity::{Email, Phone, User, UserSearch, samples};
use domain::page::PageRequest;
use domain::store::{Repositories, Store};
use harness::db_test;
use infra::db::Database;

/// Letters that databases like to order in ways of their own.
const NAMES: [&str; 9] = ["zhang", "zhang.b", "zhang_a", "zhang-1", "zháng", "zhb", "zh", "字典", "字母"];

async fn with_users(database: &Database) -> Vec<User> {
    let work = database.begin().await.unwrap();
    let mut users = Vec::new();
    for (number, name) in NAMES.into_iter().enumerate() {
        let mut user = samples::user(name);
        user.email = Some(Email::parse(&format!("mail{number}@example.cn")).unwrap());
        user.phone = Some(Phone::parse(&format!("+86138{number:04}")).unwrap());
        user.external_id = (number < 4).then(|| format!("CRM-{number}"));
        work.users().insert(&user).await.unwrap();
        let account = Account::personal(user.personal_account, user.id, "同名".to_owned(), user.created_at);
        let account = Account { external_id: user.external_id.clone(), ..account };
        work.accounts().insert(&account).await.unwrap();
        users.push(user);
    }
    work.commit().await.unwrap();
    users
}

/// Everything that is found, page by page.
async fn found(database: &Database, search: &UserSearch, limit: u32) -> Vec<String> {
    let (mut names, mut before) = (Vec::new(), None);
    loop {
        let page = database.users().search(search, PageRequest { limit, before }).await.unwrap();
        names.extend(page.rows.iter().map(|user| user.username.as_ref().unwrap().to_string()));
        before = page.next;
        if before.is_none() {
            return names;
        }
    }
}

db_test!(users_are_found_by_how_a_name_begins_in_the_order_of_its_bytes, async |database: &Database| {
    with_users(database).await;
    for prefix in ["zh", "zhang", "zhá", "字", "x", "zhang_"] {
        let mut expected: Vec<_> = NAMES.into_iter().filter(|name| name.starts_with(prefix)).collect();
        expected.sort_unstable();
        for limit in [1, 2, 200] {
            assert_eq!(found(database, &UserSearch::username(prefix).unwrap(), limit).await, expected, "{prefix}");
        }
    }
    assert_eq!(found(database, &UserSearch::username("ZHANG.").unwrap(), 9).await, ["zhang.b"]);
    assert_eq!(found(database, &UserSearch::username("%").unwrap(), 9).await, Vec::<String>::new());
    assert_eq!(found(database, &UserSearch::email("MAIL7@").unwrap(), 9).await, ["字典"]);
    assert_eq!(found(database, &UserSearch::phone("+861380008").unwrap(), 9).await, ["字母"]);
    assert_eq!(found(database, &UserSearch::external_id("CRM-").unwrap(), 2).await.len(), 4);
    assert_eq!(found(database, &UserSearch::external_id("crm-").unwrap(), 2).await.len(), 0);
});

db_test!(users_are_found_by_how_their_id_begins_newest_first, async |database: &Database| {
    let users = with_users(database).await;
    let mut expected: Vec<_> = users.iter().collect();
    expected.sort_by_key(|user| std::cmp::Reverse(user.id));
    let expected: Vec<_> = expected.iter().map(|user| user.username.as_ref().unwrap().to_string()).collect();
    let id = users[3].id.to_string();
    assert_eq!(found(database, &UserSearch::id(&id[..12]).unwrap(), 4).await, expected);
    assert_eq!(found(database, &UserSearch::id(&id).unwrap(), 4).await, ["zhang-1"]);
    assert_eq!(found(database, &UserSearch::id("usr_f").unwrap(), 4).await, Vec::<String>::new());
});

db_test!(accounts_of_one_name_come_page_by_page_and_none_twice, async |database: &Database| {
    let users = with_users(database).await;
    let all = async |search: AccountSearch, limit| {
        let (mut ids, mut before) = (Vec::new(), None);
        loop {
            let page = database.accounts().search(&search, PageRequest { limit, before }).await.unwrap();
            ids.extend(page.rows.iter().map(|account| account.id));
            before = page.next;
            if before.is_none() {
                return ids;
            }
        }
    };
    let mut expected: Vec<_> = users.iter().map(|user| user.personal_account).collect();
    expected.sort_unstable();
    assert_eq!(all(AccountSearch::name("同").unwrap(), 2).await, expected);
    assert_eq!(all(AccountSearch::external_id("CRM-2").unwrap(), 2).await, [users[2].personal_account]);
    assert_eq!(all(AccountSearch::Owner(users[5].id), 2).await, [users[5].personal_account]);
    let id = users[5].personal_account.to_string();
    assert!(all(AccountSearch::id(&id[..30]).unwrap(), 2).await.contains(&users[5].personal_account));
});
