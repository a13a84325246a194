use rustix::thread::no_new_privs;

use super::*;

#[test]
fn a_thread_keeps_what_is_asked() {
    // Capabilities are the thread's own: those of the other tests stay.
    let check = || {
        let before = capabilities(None).unwrap().permitted;
        let has = keep_only_net_raw().unwrap();
        assert_eq!(has, before.contains(CapabilitySet::NET_RAW));
        let now = capabilities(None).unwrap();
        assert_eq!(now.permitted, before & CapabilitySet::NET_RAW);
        assert_eq!(now.effective, now.permitted);
        assert!(now.inheritable.is_empty());
        assert!(no_new_privs().unwrap());
        keep_nothing().unwrap();
        assert!(capabilities(None).unwrap().permitted.is_empty());
        assert_eq!(keep_only_net_raw(), Ok(false));
    };
    std::thread::spawn(check).join().unwrap();
}
