using System.Buffers.Binary;
using Ashlar.Blocks;

namespace Ashlar.Nvme.Tests;

/// <summary>Reservations by NVMe commands, which bind clients of all protocols.</summary>
public sealed class ReservationTests
{
    const uint WriteExclusive = 1 << 8, ExclusiveAccessRegistrants = 4 << 8;
    const uint Unregister = 1, Replace = 2, Preempt = 1, Clear = 1, IgnoreKey = 1 << 3;

    internal static readonly Guid OtherId = new("99999999-2222-3333-4444-555555555555");

    [Fact]
    public async Task Who_has_reserved_alone_writes_whatever_protocol_others_come_by()
    {
        await using var target = new TestTarget();
        using var one = Hosts.Open(target, NvmeHost.HostId);
        using var two = Hosts.Open(target, OtherId);
        using var elsewhere = target.Front.Attach(new(ClientProtocol.Iscsi, "iqn.other", "a"));
        Register(one.Queue, 0, 0, 7).MustSucceed();
        Acquire(one.Queue, WriteExclusive, 7, 0).MustSucceed();

        one.Queue.Write(0, NvmeHost.Pattern(512)).MustSucceed();
        two.Queue.Read(0, 1).MustSucceed();
        two.Queue.Write(0, NvmeHost.Pattern(512)).MustFail(NvmeStatus.ReservationConflict);
        await Assert.ThrowsAsync<ReservationConflictException>(() => elsewhere.WriteAsync(0, new byte[512]).AsTask());

        // It is the host's, not the association's.
        one.Dispose();
        await TestKit.Waiting.UntilAsync(() => target.Associations == 2, "the first host has left");
        two.Queue.Write(0, NvmeHost.Pattern(512)).MustFail(NvmeStatus.ReservationConflict);
        using var again = Hosts.Open(target, NvmeHost.HostId);
        again.Queue.Write(0, NvmeHost.Pattern(512)).MustSucceed();
        Release(again.Queue, WriteExclusive, 7).MustSucceed();
        two.Queue.Write(0, NvmeHost.Pattern(512)).MustSucceed();
    }

    [Fact]
    public async Task What_is_reserved_and_who_is_registered_is_reported()
    {
        await using var target = new TestTarget();
        using var one = Hosts.Open(target, NvmeHost.HostId);
        using var two = Hosts.Open(target, OtherId);
        Register(one.Queue, 0, 0, 7).MustSucceed();
        Register(two.Queue, 0, 0, 8).MustSucceed();
        Acquire(two.Queue, ExclusiveAccessRegistrants, 8, 0).MustSucceed();
        var report = Report(one.Queue, 192).MustSucceed().Data;
        Assert.Equal(2u, BinaryPrimitives.ReadUInt32LittleEndian(report));
        Assert.Equal((4, 2, 0), (report[4], report[5], report[9]));
        Assert.Equal((0, 1), (report[66], report[130]));
        Assert.Equal((7ul, 8ul), (Key(report, 72), Key(report, 136)));
        Assert.Equal(OtherId.ToByteArray(bigEndian: true), report[144..160]);
        Assert.Equal(report[..64], Report(one.Queue, 64).MustSucceed().Data);
        one.Queue.Run(one.Queue.Entry((byte)NvmOpcode.ReservationReport, 1, 15), readBytes: 64)
            .MustFail(NvmeStatus.HostIdentifierInconsistentFormat);
        Assert.Equal(0xFE, one.Admin.Identify(0, 1).MustSucceed().Data[31]);
    }

    [Fact]
    public async Task A_registration_that_is_preempted_is_gone()
    {
        await using var target = new TestTarget();
        using var one = Hosts.Open(target, NvmeHost.HostId);
        using var two = Hosts.Open(target, OtherId);
        Register(one.Queue, 0, 0, 7).MustSucceed();
        Register(two.Queue, 0, 0, 8).MustSucceed();
        Acquire(one.Queue, WriteExclusive, 7, 0).MustSucceed();
        Acquire(two.Queue, WriteExclusive, 8, 0).MustFail(NvmeStatus.ReservationConflict);
        Acquire(two.Queue, WriteExclusive | Preempt, 8, 7).MustSucceed();
        one.Queue.Write(0, NvmeHost.Pattern(512)).MustFail(NvmeStatus.ReservationConflict);
        two.Queue.Write(0, NvmeHost.Pattern(512)).MustSucceed();
        Release(one.Queue, Clear, 7).MustFail(NvmeStatus.ReservationConflict);
        Release(two.Queue, Clear, 8).MustSucceed();
        Assert.Empty(target.Front.Access.Persistent.State.Registrations);
        one.Queue.Write(0, NvmeHost.Pattern(512)).MustSucceed();
    }

    [Fact]
    public async Task Keys_are_changed_and_given_back_by_who_knows_them()
    {
        await using var target = new TestTarget();
        using var one = Hosts.Open(target, NvmeHost.HostId);
        Register(one.Queue, 0, 0, 0).MustFail(NvmeStatus.InvalidField);
        Register(one.Queue, Unregister, 7, 0).MustFail(NvmeStatus.ReservationConflict);
        Register(one.Queue, Replace, 0, 7).MustFail(NvmeStatus.ReservationConflict);
        Register(one.Queue, 0, 0, 7).MustSucceed();
        Register(one.Queue, 0, 0, 7).MustSucceed();
        Register(one.Queue, 0, 0, 8).MustFail(NvmeStatus.ReservationConflict);
        Register(one.Queue, Replace, 6, 8).MustFail(NvmeStatus.ReservationConflict);
        Register(one.Queue, Replace, 7, 8).MustSucceed();
        Register(one.Queue, Replace | IgnoreKey, 0, 9).MustSucceed();
        Acquire(one.Queue, 0, 9, 0).MustFail(NvmeStatus.InvalidField);
        Acquire(one.Queue, 7 << 8, 9, 0).MustFail(NvmeStatus.InvalidField);
        Acquire(one.Queue, WriteExclusive | 3, 9, 0).MustFail(NvmeStatus.InvalidField);
        Register(one.Queue, 5, 9, 9).MustFail(NvmeStatus.InvalidField);
        Register(one.Queue, 3u << 30, 0, 9).MustFail(NvmeStatus.InvalidField); // Nothing of this volume outlives the server.
        Register(one.Queue, Unregister, 9, 0).MustSucceed();
        Assert.Empty(target.Front.Access.Persistent.State.Registrations);
    }

    internal static Reply Register(NvmeHost queue, uint how, ulong current, ulong wanted) =>
        queue.Run(queue.Entry((byte)NvmOpcode.ReservationRegister, 1, how), Keys(current, wanted), inCapsule: true);

    internal static Reply Acquire(NvmeHost queue, uint how, ulong current, ulong victims) =>
        queue.Run(queue.Entry((byte)NvmOpcode.ReservationAcquire, 1, how), Keys(current, victims), inCapsule: true);

    internal static Reply Release(NvmeHost queue, uint how, ulong key) =>
        queue.Run(queue.Entry((byte)NvmOpcode.ReservationRelease, 1, how), Keys(key), inCapsule: true);

    static Reply Report(NvmeHost queue, int bytes) =>
        queue.Run(queue.Entry((byte)NvmOpcode.ReservationReport, 1, (uint)((bytes / 4) - 1), 1), readBytes: bytes);

    static byte[] Keys(params ulong[] keys)
    {
        var data = new byte[keys.Length * 8];
        for (var i = 0; i < keys.Length; i++) BinaryPrimitives.WriteUInt64LittleEndian(data.AsSpan(i * 8), keys[i]);
        return data;
    }

    static ulong Key(byte[] report, int at) => BinaryPrimitives.ReadUInt64LittleEndian(report.AsSpan(at));

    /// <summary>A host with an admin and an I/O queue.</summary>
    internal sealed record Hosts(NvmeHost Admin, NvmeHost Queue) : IDisposable
    {
        public static Hosts Open(TestTarget target, Guid id)
        {
            var admin = target.Dial();
            admin.Connect(0, TestTarget.Name, hostId: id).MustSucceed();
            admin.Enable();
            var queue = target.Dial();
            queue.Connect(1, TestTarget.Name, admin.ControllerId, hostId: id).MustSucceed();
            return new(admin, queue);
        }

        public void Dispose()
        {
            Queue.Dispose();
            Admin.Dispose();
        }
    }
}
