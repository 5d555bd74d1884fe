# An export that asks for proof in both directions, and reservations of two initiators.
. ./common.sh
stop_multipath
start_initiator
target=$IQN:main.secret
node() { iscsiadm -m node -T "$target" -p "$HOST:$ISCSI_PORT" "$@"; }
prove() { node -o update -n "node.session.auth.$1" -v "$2"; }
node -o new
refused node --login
prove authmethod CHAP
prove username guest
prove password "not-${SECRET}"
refused node --login
prove password "$SECRET"
prove username_in ashlar
prove password_in "not-${TARGET_SECRET}"
refused node --login
prove password_in "$TARGET_SECRET"
node --login
did open-iscsi 'CHAP and mutual CHAP: a wrong secret of either side is refused, right ones log in'
await find_disk "$target"
dd if=/dev/urandom of=/run/written bs=4k count=16
dd if=/run/written of="$disk" bs=4k oflag=direct
dd if="$disk" bs=4k count=16 iflag=direct | cmp - /run/written
node --logout

target=$IQN:main.shared
iscsiadm -m iface -I second -o new
iscsiadm -m iface -I second -o update -n iface.initiatorname -v "$IQN:second"
for interface in default second; do
    node -I "$interface" -o new
    node -I "$interface" --login
done
await find_disk "$target" "$IQN:guest"
first=$disk
await find_disk "$target" "$IQN:second"
second=$disk
[ "$first" != "$second" ]
overwrite() { dd if=/run/written of="$1" bs=4k count=1 oflag=direct; }
sg_persist --out --register --param-sark=1 "$first"
sg_persist --out --register --param-sark=2 "$second"
sg_persist --out --reserve --param-rk=1 --prout-type=3 "$first"
overwrite "$first"
refused overwrite "$second"
sg_persist --in --read-full-status "$second" | grep -F "$IQN:second"
sg_persist --out --preempt --param-rk=2 --param-sark=1 --prout-type=3 "$second"
overwrite "$second"
refused overwrite "$first"
sg_persist --out --clear --param-rk=2 "$second"
overwrite "$first"
did sg3-utils 'two initiators: reserve, conflict, full status, preempt, clear'
node --logout
