using Ashlar.Blocks;
using Ashlar.TestKit;

namespace Ashlar.Iscsi.Tests;

/// <summary>What initiators and clients of other protocols do to one volume.</summary>
public sealed class SharedVolumeTests : IAsyncLifetime
{
    readonly TestTarget target = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await target.DisposeAsync();

    [Fact]
    public void A_session_is_known_by_the_name_of_the_initiator_port()
    {
        using var initiator = target.LogIn("iqn.2026-11.test:one", isid: 0x8000_0000_0001);
        var session = Assert.Single(target.Front.Sessions);
        Assert.Equal((ClientProtocol.Iscsi, "iqn.2026-11.test:one,i,0x800000000001"), (session.Client.Protocol, session.Client.Name));
        initiator.Write(0, new byte[1024]);
        Assert.Equal(1024, session.GetStatistics()[DriverOperation.Write].Bytes);
    }

    [Fact]
    public async Task A_write_of_another_client_waits_until_a_compare_and_write_is_over()
    {
        using var initiator = target.LogIn();
        using var nbd = Attach();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        target.Device.BeforeRead = _ =>
        {
            begun.SetResult();
            return new ValueTask(go.Task);
        };
        var cdb = new byte[16];
        (cdb[0], cdb[9], cdb[13]) = (0x89, 5, 1);
        initiator.SendCommand(cdb, 1024, writes: true, immediate: [.. Filled(0), .. Filled(1)]);
        await begun.Task;
        target.Device.BeforeRead = null;
        var write = nbd.WriteAsync(5 * 512, Filled(2)).AsTask();
        Assert.False(write.IsCompleted);
        go.SetResult();
        Initiator.MustBeGood(initiator.ReceiveResult());
        await write;
        Assert.Equal([5L, 5L], target.Device.Writes.Select(each => each.Start.Value)); // None was lost, the other came last.
        Assert.Equal(2, initiator.Read(5, 1)[0]);
    }

    [Fact]
    public async Task A_reservation_ends_with_the_session_and_binds_other_protocols_until_then()
    {
        using var initiator = target.LogIn();
        using var nbd = Attach();
        Initiator.MustBeGood(initiator.Command([0x16, .. new byte[15]]));
        await Assert.ThrowsAsync<ReservationConflictException>(async () => await nbd.WriteAsync(0, new byte[512]));
        initiator.LogOut();
        Assert.True(initiator.IsClosed());
        await nbd.WriteAsync(0, new byte[512]);
    }

    [Fact]
    public async Task Write_protection_outlasts_the_session_that_asked_for_it()
    {
        using (var initiator = target.LogIn())
        {
            target.Front.Access.IsWriteProtected = true;
            initiator.LogOut();
            Assert.True(initiator.IsClosed());
        }
        using var nbd = Attach();
        await Assert.ThrowsAsync<WriteProtectedException>(async () => await nbd.WriteAsync(0, new byte[512]));
        using var other = target.LogIn();
        Assert.Equal("7/27/02", other.Command(Initiator.Cdb(0x2A, 0, 1)).Sense);
    }

    [Fact]
    public async Task What_waits_for_the_limits_of_a_volume_is_given_up_when_its_initiator_is_cut_off()
    {
        using var initiator = target.LogIn();
        target.Front.Limits = new(BytesPerSecond: 1);
        initiator.Read(0, 1); // Takes what is there for 512 seconds.
        for (var i = 0; i < 3; i++) initiator.SendCommand(Initiator.Cdb(0x28, 0, 1), 512, reads: true);
        await Waiting.UntilAsync(() => target.Front.WaitingCount == 3, "three requests wait");
        using var again = target.LogIn(); // The same initiator port: the session before it is cut, and ends first.
        Assert.Equal((0, 1), (target.Front.WaitingCount, target.Leases));
        target.Front.Limits = RateLimits.None;
        again.Read(0, 1);
    }

    [Fact]
    public async Task Initiators_of_a_deleted_volume_are_told_that_there_is_no_unit_any_more()
    {
        using var initiator = target.LogIn();
        initiator.Write(0, new byte[512]);
        Assert.True(await target.Front.CloseAsync(FenceReason.VolumeDeleted, evenIfInUse: true));
        Assert.Equal("5/25/00", initiator.Command(new byte[16]).Sense);
        Assert.Equal("5/25/00", initiator.Command(Initiator.Cdb(0x28, 0, 1), 512).Sense);
        initiator.Ping();
        initiator.Receive(Opcode.NopIn); // The session goes on, until the initiator ends it.
        initiator.LogOut();
        Assert.Empty(target.Reports);
    }

    static byte[] Filled(byte value) => Enumerable.Repeat(value, 512).ToArray();

    ClientSession Attach() => target.Front.Attach(new(ClientProtocol.Nbd, "192.0.2.1:4711", "192.0.2.1:4711"));
}
