using System.Buffers.Binary;
using Ashlar.Blocks;
using Ashlar.Storage;
using static Ashlar.Nvme.Tests.ReservationTests;

namespace Ashlar.Nvme.Tests;

/// <summary>Hosts are told what others do to their registrations and reservations: an event, and a log to be read for it.</summary>
public sealed class ReservationNoticeTests
{
    const uint WriteExclusive = 1 << 8, WriteExclusiveRegistrants = 3 << 8, Preempt = 1, Clear = 1;
    const ulong LogIsThere = 0x0080_0006;
    const byte Mask = 0x82, Persistence = 0x83;

    [Fact]
    public async Task Whose_registration_is_taken_away_is_told()
    {
        await using var target = new TestTarget();
        using var one = Reserving(target, NvmeHost.HostId, 7);
        using var two = Reserving(target, OtherId, 8);
        Acquire(one.Queue, WriteExclusive, 7, 0).MustSucceed();
        var request = Listen(one);
        Acquire(two.Queue, WriteExclusive | Preempt, 8, 7).MustSucceed();
        Assert.Equal(LogIsThere, one.Admin.Finish(request).MustSucceed().Result);
        Assert.Equal((1ul, 1, 0, 1u), Page(one));
        Assert.Equal((0ul, 0, 0, 0u), Page(one));
        Assert.Equal((0ul, 0, 0, 0u), Page(two)); // Who did it knows.
    }

    [Fact]
    public async Task Registrants_are_told_that_a_reservation_for_them_is_no_more()
    {
        await using var target = new TestTarget();
        using var one = Reserving(target, NvmeHost.HostId, 7);
        using var two = Reserving(target, OtherId, 8);
        Acquire(one.Queue, WriteExclusiveRegistrants, 7, 0).MustSucceed();
        Release(one.Queue, WriteExclusiveRegistrants, 7).MustSucceed();
        // Before it listens: told as soon as it does.
        Assert.Equal(LogIsThere, two.Admin.Finish(Listen(two)).MustSucceed().Result);
        Assert.Equal((1ul, 2, 0, 1u), Page(two));

        Acquire(one.Queue, WriteExclusive, 7, 0).MustSucceed();
        Release(one.Queue, WriteExclusive, 7).MustSucceed(); // It promised them nothing.
        Assert.Equal(0, Page(two).Kind);
        Acquire(one.Queue, WriteExclusive, 7, 0).MustSucceed();
        Release(one.Queue, Clear, 7).MustSucceed();
        Assert.Equal((2ul, 3, 0, 1u), Page(two));
    }

    [Fact]
    public async Task Initiators_of_iSCSI_are_others_too()
    {
        await using var target = new TestTarget();
        using var host = Reserving(target, NvmeHost.HostId, 7);
        using var elsewhere = target.Front.Attach(new(ClientProtocol.Iscsi, "iqn.other", "a"));
        var request = Listen(host);
        var all = target.Front.Access.Persistent;
        all.Register(elsewhere.Registrant, 0, 9, ignoreKey: false, persists: null);
        all.Preempt(elsewhere.Registrant, 9, 7, ReservationType.WriteExclusive, out _);
        host.Admin.Finish(request).MustSucceed();
        Assert.Equal(1, Page(host).Kind);
    }

    [Fact]
    public async Task An_event_is_told_once_until_its_page_is_read_and_each_page_once()
    {
        await using var target = new TestTarget();
        using var one = Reserving(target, NvmeHost.HostId, 7);
        using var two = Reserving(target, OtherId, 8);
        var (first, second) = (Listen(one), Listen(one));
        for (var i = 0; i < 2; i++)
        {
            Release(two.Queue, Clear, 8).MustSucceed();
            Register(one.Queue, 0, 0, 7).MustSucceed();
            Register(two.Queue, 0, 0, 8).MustSucceed();
        }
        one.Admin.Finish(first).MustSucceed();
        Assert.Equal((1ul, 3, 1, 1u), Page(one, retains: true));
        one.Admin.Admin(AdminOpcode.KeepAlive).MustSucceed(); // Nothing else was told meanwhile.

        // What is left behind the page that was read is told of, before or after that page comes.
        var log = one.Admin.Submit(LogEntry(one, retains: false), readBytes: ReservationNotices.PageBytes);
        Assert.Equal(second, one.Admin.ReceiveResponse().CommandId);
        Assert.Equal((1ul, 3, 1, 1u), Read(one.Admin.Finish(log, ReservationNotices.PageBytes).MustSucceed().Data));
        Assert.Equal((2ul, 3, 0, 1u), Page(one));
        Assert.Equal(0, Page(one).Kind);
    }

    [Fact]
    public void An_event_that_was_told_too_late_hides_no_other()
    {
        var events = new AsynchronousEvents(null!);
        var notices = new ReservationNotices(events);
        events.Raise(EventKind.Reservations); // Its page was read meanwhile.
        Assert.False(events.TryHold(null!, out var told));
        Assert.Equal(LogIsThere, told.Result);
        notices.Read(clear: true);
        notices.Add(ReservationNotice.RegistrationPreempted);
        Assert.False(events.TryHold(null!, out told));
        Assert.Equal(LogIsThere, told.Result);
    }

    [Fact]
    public async Task What_is_masked_is_not_told_and_what_is_not_read_does_not_pile_up()
    {
        await using var target = new TestTarget();
        using var one = Reserving(target, NvmeHost.HostId, 7);
        using var two = Reserving(target, OtherId, 8);
        Set(one, Mask, 1 << 3).MustSucceed();
        Assert.Equal(8ul, Get(one, Mask).MustSucceed().Result);
        Release(two.Queue, Clear, 8).MustSucceed();
        Assert.Equal(0, Page(one).Kind);
        Set(one, Mask, uint.MaxValue, SubmissionEntry.AllNamespaces).MustSucceed();
        Assert.Equal((ulong)ReservationNotices.MaskBits, Get(one, Mask).MustSucceed().Result);
        Set(one, Mask, 0).MustSucceed();

        var all = target.Front.Access.Persistent;
        using var elsewhere = target.Front.Attach(new(ClientProtocol.Iscsi, "iqn.other", "a"));
        for (var i = 0; i < ReservationNotices.MaxPages + 2; i++)
        {
            Register(one.Queue, 0, 0, 7).MustSucceed();
            all.Register(elsewhere.Registrant, 0, 9, ignoreKey: true, persists: null);
            all.Clear(elsewhere.Registrant, 9);
        }
        Assert.Equal((3ul, 3, 254, 1u), Page(one)); // The first two are gone, which the number shows.
    }

    [Fact]
    public async Task Features_of_reservations_are_those_of_the_namespace()
    {
        var store = new KeptState();
        await using var target = new TestTarget(reservations: store);
        using var one = Reserving(target, NvmeHost.HostId, 7);
        foreach (var feature in (byte[])[Mask, Persistence])
        {
            Assert.Equal(6ul, Get(one, feature | (3u << 8)).MustSucceed().Result);
            Get(one, feature, SubmissionEntry.AllNamespaces).MustFail(NvmeStatus.InvalidField);
            Get(one, feature, 2).MustFail(NvmeStatus.InvalidNamespace);
            Set(one, feature, 1, 2).MustFail(NvmeStatus.InvalidNamespace);
            Set(one, feature | (1u << 31), 1).MustFail(NvmeStatus.FeatureNotSaveable);
        }
        Assert.Equal(0ul, Get(one, Persistence).MustSucceed().Result);
        Set(one, Persistence, 1).MustSucceed();
        Assert.Equal(1ul, Get(one, Persistence).MustSucceed().Result);
        Assert.Equal(7ul, Assert.Single(store.State!.Registrations).Key);
        Set(one, Persistence, 0).MustSucceed();
        Assert.Null(store.State);
        store.Failure = new StorageException("pwrite", "/", StorageErrorKind.InputOutput, 5, "no");
        Set(one, Persistence, 1).MustFail(NvmeStatus.InternalError);
        Assert.Equal(0ul, Get(one, Persistence).MustSucceed().Result);

        await using var forgetful = new TestTarget();
        using var two = Reserving(forgetful, NvmeHost.HostId, 7);
        Set(two, Persistence, 1).MustFail(NvmeStatus.InvalidField);
        using var discovery = forgetful.Associate(subsystem: NvmeNames.Discovery);
        discovery.Run(discovery.Entry((byte)AdminOpcode.GetFeatures, 1, Mask)).MustFail(NvmeStatus.InvalidField);
    }

    [Fact]
    public async Task Who_is_no_registrant_or_only_reads_makes_nothing_be_forgotten()
    {
        var store = new KeptState();
        await using var target = new TestTarget(reservations: store);
        using var stranger = Hosts.Open(target, OtherId);
        Set(stranger, Persistence, 1).MustSucceed(); // There is nobody yet whose it is.
        using var one = Reserving(target, NvmeHost.HostId, 7);
        Set(stranger, Persistence, 0).MustFail(NvmeStatus.ReservationConflict);
        Assert.NotNull(store.State);
        Set(one, Persistence, 0).MustSucceed();
        Release(one.Queue, Clear, 7).MustSucceed();

        target.IsReadOnly = true;
        using var reader = Hosts.Open(target, OtherId);
        Set(reader, Persistence, 1).MustFail(NvmeStatus.NamespaceWriteProtected);
    }

    [Fact]
    public async Task What_is_refused_or_was_not_read_from_its_begin_is_not_gone()
    {
        await using var target = new TestTarget();
        using var one = Reserving(target, NvmeHost.HostId, 7);
        using var two = Reserving(target, OtherId, 8);
        Release(two.Queue, Clear, 8).MustSucceed();
        var entry = LogEntry(one, retains: false);
        one.Admin.Run(entry, readBytes: 32).MustFail(NvmeStatus.DataSglLengthInvalid);
        one.Admin.Log(LogPage.Reservations, 64, offset: 68).MustFail(NvmeStatus.InvalidField);
        one.Admin.Log(LogPage.Reservations, 32).MustSucceed();
        one.Admin.Log(LogPage.Reservations, 32, offset: 32).MustSucceed();
        Assert.Equal((1ul, 3, 0, 1u), Page(one));

        target.Front.Report(new(VolumeEventKind.CapacityChanged));
        one.Admin.Log(LogPage.ChangedNamespaces, 4096, offset: 4100).MustFail(NvmeStatus.InvalidField);
        Assert.Equal(1, one.Admin.Log(LogPage.ChangedNamespaces, 4096).MustSucceed().Data[0]);
    }

    static Hosts Reserving(TestTarget target, Guid id, ulong key)
    {
        var host = Hosts.Open(target, id);
        Register(host.Queue, 0, 0, key).MustSucceed();
        return host;
    }

    static ushort Listen(Hosts host) => host.Admin.Submit(host.Admin.Entry((byte)AdminOpcode.AsynchronousEventRequest, 0));

    static Reply Get(Hosts host, uint dword10, uint nameSpace = 1) =>
        host.Admin.Run(host.Admin.Entry((byte)AdminOpcode.GetFeatures, nameSpace, dword10));

    static Reply Set(Hosts host, uint dword10, uint value, uint nameSpace = 1) =>
        host.Admin.Run(host.Admin.Entry((byte)AdminOpcode.SetFeatures, nameSpace, dword10, value));

    static SubmissionEntry LogEntry(Hosts host, bool retains) => host.Admin.Entry(
        (byte)AdminOpcode.GetLogPage, 1, (byte)LogPage.Reservations | (retains ? 1u << 15 : 0) | (15u << 16));

    static (ulong Number, int Kind, int Others, uint Namespace) Page(Hosts host, bool retains = false) =>
        Read(host.Admin.Run(LogEntry(host, retains), readBytes: ReservationNotices.PageBytes).MustSucceed().Data);

    static (ulong Number, int Kind, int Others, uint Namespace) Read(byte[] page) =>
        (BinaryPrimitives.ReadUInt64LittleEndian(page), page[8], page[9], BinaryPrimitives.ReadUInt32LittleEndian(page.AsSpan(12)));

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
