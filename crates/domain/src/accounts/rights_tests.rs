use super::*;
use std::collections::HashSet;

#[test]
fn every_act_is_listed_once_with_its_words() {
    let acts: HashSet<_> = RIGHTS.iter().map(|right| right.act).collect();
    let words: HashSet<_> = RIGHTS.iter().map(|right| right.words).collect();
    assert_eq!((acts.len(), words.len()), (RIGHTS.len(), RIGHTS.len()));
    assert_eq!(Act::ReadOrders as usize + 1, RIGHTS.len(), "the last act and the last row");
}

#[test]
fn whatever_a_member_may_an_admin_may_and_but_for_leaving_so_may_the_owner() {
    for right in RIGHTS {
        let (member, admin, owner) =
            (MemberRole::Member.may(right.act), MemberRole::Admin.may(right.act), MemberRole::Owner.may(right.act));
        assert!(!member || admin, "{:?}", right.act);
        assert_eq!(owner, right.act != Act::Leave, "{:?}", right.act);
    }
}

#[test]
fn money_and_ownership_are_the_owners_alone() {
    for act in [Act::ChangeRole, Act::TransferOwnership, Act::DeleteTeam, Act::ChangeSubscription, Act::SetSpendCap] {
        assert!(!MemberRole::Admin.may(act) && !MemberRole::Member.may(act) && MemberRole::Owner.may(act));
        assert!(Standing::Role(MemberRole::Admin).require(act).is_err() && Standing::Operator.require(act).is_ok());
    }
}

#[test]
fn a_member_sees_the_team_and_its_own_use_and_decides_about_nobody() {
    for act in [Act::ReadAllUsage, Act::ReadInviteCode, Act::Invite, Act::ApproveMember, Act::RemoveMember] {
        assert!(!MemberRole::Member.may(act), "{act:?}");
    }
    for act in [Act::ReadQuota, Act::ReadOwnUsage, Act::Consume, Act::CreateKey, Act::ReadMembers, Act::Leave] {
        assert!(MemberRole::Member.may(act), "{act:?}");
    }
}

#[test]
fn an_admin_manages_members_only_and_the_owner_everybody() {
    let managed = |role: MemberRole| MemberRole::ALL.map(|other| role.manages(other));
    assert_eq!(managed(MemberRole::Member), [false, false, false]);
    assert_eq!(managed(MemberRole::Admin), [true, false, false]);
    assert_eq!(managed(MemberRole::Owner), [true, true, true]);
}

#[test]
fn roles_read_back() {
    for role in MemberRole::ALL {
        assert_eq!(MemberRole::parse(role.as_str()), Some(role));
    }
    assert_eq!(MemberRole::parse("Owner"), None);
}
