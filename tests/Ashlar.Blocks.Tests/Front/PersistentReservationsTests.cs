using Ashlar.Blocks.Devices;
using Ashlar.Storage;

namespace Ashlar.Blocks.Tests;

/// <summary>Who may do what under persistent reservations, whatever protocol they come by, and what of it outlives the server.</summary>
public sealed class PersistentReservationsTests : IAsyncLifetime
{
    const ulong Key = 1, OtherKey = 2;

    static readonly ReservationType[] All = Enum.GetValues<ReservationType>();

    readonly KeptState store = new();
    readonly MemoryDevice device = new(16, 512, "vm1");
    readonly VolumeFront front;
    readonly List<(ReservationNotice Notice, Registrant Who)> notices = [];

    public PersistentReservationsTests() => front = Open();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await front.DisposeAsync();

    public static TheoryData<ReservationType> Types => [.. All];

    PersistentReservations Reservations => front.Access.Persistent;

    [Theory]
    [MemberData(nameof(Types))]
    public async Task A_reservation_of_each_type_binds_holders_registrants_and_others_of_all_protocols(ReservationType type)
    {
        var (holder, registrant, other) = (Attach("a"), Attach("b"), Attach("c", ClientProtocol.Nbd));
        Register(holder, Key);
        Register(registrant, OtherKey);
        Assert.Equal(ReservationOutcome.Done, Reservations.Reserve(holder.Registrant, Key, type));
        var isShared = type >= ReservationType.WriteExclusiveRegistrantsOnly;
        var hidesReads = type is ReservationType.ExclusiveAccess or ReservationType.ExclusiveAccessRegistrantsOnly
            or ReservationType.ExclusiveAccessAllRegistrants;
        await Check(holder, reads: true, writes: true);
        await Check(registrant, reads: isShared || !hidesReads, writes: isShared);
        await Check(other, reads: !hidesReads, writes: false);
        await other.FlushAsync();
    }

    [Fact]
    public void Only_who_registers_with_the_right_key_changes_anything()
    {
        var (one, other) = (Who("a"), Who("b"));
        Assert.Equal(ReservationOutcome.Conflict, Reservations.Register(one, 7, Key, ignoreKey: false, null));
        Assert.Equal(ReservationOutcome.Done, Reservations.Register(one, 0, Key, ignoreKey: false, null));
        Assert.Equal(ReservationOutcome.Conflict, Reservations.Register(one, 0, OtherKey, ignoreKey: false, null));
        Assert.Equal(ReservationOutcome.Conflict, Reservations.Reserve(one, OtherKey, ReservationType.WriteExclusive));
        Assert.Equal(ReservationOutcome.Conflict, Reservations.Reserve(other, Key, ReservationType.WriteExclusive));
        Assert.Equal(ReservationOutcome.Conflict, Reservations.Reserve(other, 0, ReservationType.WriteExclusive));
        Assert.Equal(ReservationOutcome.Conflict, Reservations.Clear(other, Key));
        Assert.Equal(ReservationOutcome.Conflict, Reservations.Preempt(other, Key, Key, ReservationType.WriteExclusive, out _));
        Assert.Equal(ReservationOutcome.Done, Reservations.Register(one, 0, OtherKey, ignoreKey: true, null));
        Assert.Equal(OtherKey, Assert.Single(Reservations.State.Registrations).Key);
        Assert.Equal(2u, Reservations.State.Generation);
    }

    [Fact]
    public void Another_reservation_is_a_conflict_and_the_same_one_is_not()
    {
        var (one, other) = Registered();
        Assert.Equal(ReservationOutcome.Done, Reservations.Reserve(one, Key, ReservationType.WriteExclusive));
        Assert.Equal(ReservationOutcome.Done, Reservations.Reserve(one, Key, ReservationType.WriteExclusive));
        Assert.Equal(ReservationOutcome.Conflict, Reservations.Reserve(one, Key, ReservationType.ExclusiveAccess));
        Assert.Equal(ReservationOutcome.Conflict, Reservations.Reserve(other, OtherKey, ReservationType.WriteExclusive));
        Assert.Equal(ReservationOutcome.OtherType, Reservations.Release(one, Key, ReservationType.ExclusiveAccess));
        Assert.Equal(ReservationOutcome.Done, Reservations.Release(other, OtherKey, ReservationType.WriteExclusive));
        Assert.True(Reservations.State.IsHeldBy(one));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Registrants_are_told_of_a_release_where_it_concerns_them(ReservationType type)
    {
        var (one, other) = Registered();
        Reservations.Reserve(one, Key, type);
        Assert.Equal(ReservationOutcome.Done, Reservations.Release(one, Key, type));
        Assert.Null(Reservations.State.Type);
        var isTold = type >= ReservationType.WriteExclusiveRegistrantsOnly;
        Assert.Equal(isTold ? [(ReservationNotice.ReservationReleased, other)] : [], notices);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_holder_that_leaves_takes_its_reservation_along_unless_all_hold_it(ReservationType type)
    {
        var (one, other) = Registered();
        Reservations.Reserve(one, Key, type);
        Reservations.Register(one, Key, 0, ignoreKey: false, null);
        var isHeldByAll = type >= ReservationType.WriteExclusiveAllRegistrants;
        Assert.Equal(isHeldByAll ? type : null, Reservations.State.Type);
        var isTold = type is ReservationType.WriteExclusiveRegistrantsOnly or ReservationType.ExclusiveAccessRegistrantsOnly;
        Assert.Equal(isTold ? [(ReservationNotice.ReservationReleased, other)] : [], notices);
        Reservations.Register(other, OtherKey, 0, ignoreKey: false, null);
        Assert.Null(Reservations.State.Type);
        Assert.True(Reservations.State.IsEmpty);
    }

    [Fact]
    public void Clearing_ends_all_and_tells_the_others()
    {
        var (one, other) = Registered();
        Reservations.Reserve(other, OtherKey, ReservationType.ExclusiveAccess);
        Assert.Equal(ReservationOutcome.Done, Reservations.Clear(one, Key));
        Assert.True(Reservations.State.IsEmpty);
        Assert.Null(Reservations.State.Type);
        Assert.Equal([(ReservationNotice.ReservationPreempted, other)], notices);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Preempting_the_holder_takes_the_reservation_over(ReservationType type)
    {
        var (one, other) = Registered();
        var third = Who("c");
        Reservations.Register(third, 0, 3, ignoreKey: false, null);
        Reservations.Reserve(other, OtherKey, ReservationType.WriteExclusive);
        Assert.Equal(ReservationOutcome.Done, Reservations.Preempt(one, Key, OtherKey, type, out var removed));
        Assert.Equal([other], removed);
        Assert.Equal(type, Reservations.State.Type);
        Assert.True(Reservations.State.IsHeldBy(one));
        Assert.Contains((ReservationNotice.RegistrationPreempted, other), notices);
        Assert.Equal(type != ReservationType.WriteExclusive, notices.Contains((ReservationNotice.ReservationReleased, third)));
    }

    [Fact]
    public void Preempting_others_leaves_the_reservation()
    {
        var (one, other) = Registered();
        Reservations.Reserve(one, Key, ReservationType.WriteExclusive);
        Assert.Equal(ReservationOutcome.NoKey, Reservations.Preempt(one, Key, 0, ReservationType.ExclusiveAccess, out _));
        Assert.Equal(ReservationOutcome.Conflict, Reservations.Preempt(one, Key, 9, ReservationType.ExclusiveAccess, out _));
        Assert.Equal(ReservationOutcome.Done, Reservations.Preempt(one, Key, OtherKey, ReservationType.ExclusiveAccess, out _));
        Assert.Equal(ReservationType.WriteExclusive, Reservations.State.Type);
        Assert.Null(Reservations.State.Find(other));
    }

    [Fact]
    public void Where_all_hold_a_preemption_without_a_key_takes_all_others_away()
    {
        var (one, other) = Registered();
        Reservations.Reserve(one, Key, ReservationType.ExclusiveAccessAllRegistrants);
        var outcome = Reservations.Preempt(other, OtherKey, 0, ReservationType.WriteExclusive, out var removed);
        Assert.Equal((ReservationOutcome.Done, other), (outcome, Reservations.State.Holder));
        Assert.Equal([one], removed);
        Assert.Equal(ReservationType.WriteExclusive, Reservations.State.Type);
    }

    [Fact]
    public async Task A_drained_registrant_has_nothing_under_way_and_goes_on()
    {
        var session = Attach("a");
        Register(session, Key);
        using (var held = await session.HoldAsync(0, 512))
        {
            var drained = front.DrainAsync([session.Registrant]);
            var later = session.ReadAsync(0, new byte[512]).AsTask();
            Assert.False(drained.IsCompleted);
            Assert.False(later.IsCompleted);
            held.Dispose();
            await drained;
            await later;
        }
        await session.WriteAsync(0, new byte[512]);
    }

    [Fact]
    public async Task What_is_to_persist_binds_after_a_restart_and_nothing_else_does()
    {
        Reservations.Register(Who("a"), 0, Key, ignoreKey: false, persists: true);
        Reservations.Reserve(Who("a"), Key, ReservationType.WriteExclusive);
        var after = Open();
        Assert.Equivalent(Reservations.State, after.Access.Persistent.State);
        var other = after.Attach(new(ClientProtocol.Nbd, "n", "n"));
        await Assert.ThrowsAsync<ReservationConflictException>(async () => await other.WriteAsync(0, new byte[512]));
        after.Access.Persistent.Register(Who("a"), Key, Key, ignoreKey: false, persists: false);
        Assert.Null(store.State);
        Assert.True(Open().Access.Persistent.State.IsEmpty);
    }

    [Fact]
    public async Task Whether_the_state_outlives_the_server_can_be_said_by_itself()
    {
        Registered();
        Assert.True(Reservations.TrySetPersistence(persists: true));
        Assert.Equal(2, store.State!.Registrations.Length);
        Assert.True(Reservations.Reserve(Who("a"), Key, ReservationType.WriteExclusive) == ReservationOutcome.Done);
        Assert.Equal(ReservationType.WriteExclusive, store.State!.Type);
        store.Failure = new StorageException("pwrite", "/", StorageErrorKind.InputOutput, 5, "no");
        Assert.Throws<StorageException>(() => Reservations.TrySetPersistence(persists: false));
        Assert.True(Reservations.State.IsPersistent);
        store.Failure = null;
        Assert.True(Reservations.TrySetPersistence(persists: false));
        Assert.Null(store.State);

        await using var forgetful = new VolumeFront(new MemoryDevice(16, 512, "vm2"));
        Assert.False(forgetful.Access.Persistent.TrySetPersistence(persists: true));
        Assert.True(forgetful.Access.Persistent.TrySetPersistence(persists: false));
    }

    [Fact]
    public void What_cannot_be_stored_does_not_bind()
    {
        Reservations.Register(Who("a"), 0, Key, ignoreKey: false, persists: true);
        var before = Reservations.State;
        store.Failure = new StorageException("write", "x", StorageErrorKind.NoSpace, 28, "no space");
        Assert.Throws<StorageException>(() => Reservations.Reserve(Who("a"), Key, ReservationType.WriteExclusive));
        Assert.Throws<StorageException>(() => Reservations.Clear(Who("a"), Key));
        Assert.Same(before, Reservations.State);
        Assert.Empty(notices);
    }

    [Fact]
    public void A_volume_has_so_many_registrations_and_no_more()
    {
        for (var i = 0; i < ReservationState.MaxRegistrations; i++)
            Assert.Equal(ReservationOutcome.Done, Reservations.Register(Who($"h{i}"), 0, Key, ignoreKey: false, null));
        Assert.Equal(ReservationOutcome.Full, Reservations.Register(Who("more"), 0, Key, ignoreKey: false, null));
    }

    [Fact]
    public void The_two_kinds_of_reservations_exclude_each_other()
    {
        var session = Attach("a");
        Register(session, Key);
        Assert.False(front.Access.TryReserve(session));
        Reservations.Register(session.Registrant, Key, 0, ignoreKey: false, null);
        Assert.True(front.Access.TryReserve(session));
    }

    [Fact]
    public async Task A_client_that_may_only_read_writes_in_no_way()
    {
        var reader = front.Attach(new(ClientProtocol.Nbd, "r", "r"), isReadOnly: true);
        Assert.True(reader.IsReadOnly);
        await reader.ReadAsync(0, new byte[512]);
        await reader.FlushAsync();
        await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await reader.WriteAsync(0, new byte[512]));
        await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await reader.TrimAsync(0, 512));
        await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await reader.WriteZeroesAsync(0, 512));
        await Assert.ThrowsAsync<DeviceReadOnlyException>(async () => await reader.HoldAsync(0, 512));
        await Attach("w").WriteAsync(0, new byte[512]);
    }

    VolumeFront Open()
    {
        var opened = new VolumeFront(device, reservations: store);
        opened.Access.Persistent.Noticed += (_, what) => notices.AddRange(what.Registrants.Select(who => (what.Notice, who)));
        return opened;
    }

    ClientSession Attach(string name, ClientProtocol protocol = ClientProtocol.Iscsi) => front.Attach(new(protocol, name, name));

    void Register(ClientSession session, ulong key) =>
        Assert.Equal(ReservationOutcome.Done, Reservations.Register(session.Registrant, 0, key, ignoreKey: false, null));

    (Registrant One, Registrant Other) Registered()
    {
        Reservations.Register(Who("a"), 0, Key, ignoreKey: false, null);
        Reservations.Register(Who("b"), 0, OtherKey, ignoreKey: false, null);
        return (Who("a"), Who("b"));
    }

    static Registrant Who(string name) => new(ClientProtocol.Iscsi, name, 0);

    static async Task Check(ClientSession session, bool reads, bool writes)
    {
        await Expect(reads, () => session.ReadAsync(0, new byte[512]));
        await Expect(writes, () => session.WriteAsync(0, new byte[512]));
        await Expect(writes, () => session.TrimAsync(0, 512));
        await Expect(writes, async () => (await session.HoldAsync(0, 512)).Dispose());
    }

    static async Task Expect(bool isAllowed, Func<ValueTask> request)
    {
        if (isAllowed) await request();
        else await Assert.ThrowsAsync<ReservationConflictException>(async () => await request());
    }

    sealed class KeptState : IReservationStore
    {
        public ReservationState? State { get; private set; }

        public Exception? Failure { get; set; }

        public ReservationState? Load() => State;

        public void Save(ReservationState? state)
        {
            if (Failure is not null) throw Failure;
            State = state;
        }
    }
}
