using System.Net;
using Ashlar.TestKit;

namespace Ashlar.Nvme.Tests;

/// <summary>Associations: an admin queue, I/O queues that join it, and how they end.</summary>
public sealed class ConnectTests
{
    [Fact]
    public async Task An_association_has_one_session_however_many_queues()
    {
        await using var target = new TestTarget();
        using (var admin = target.Associate())
        {
            using var one = target.Join(admin, 1);
            using var two = target.Join(admin, 2);
            one.Write(8, NvmeHost.Pattern(512)).MustSucceed();
            Assert.Equal(NvmeHost.Pattern(512), two.Read(8, 1).MustSucceed().Data);
            Assert.Equal(1, target.Associations);
            Assert.Equal(NvmeHost.HostName, target.Front.Sessions[0].Client.Name);
        }
        await Waiting.UntilAsync(() => target.Associations == 0 && target.Server.ConnectionCount == 0, "the end of queues");
        Assert.Equal(0, target.Server.Node.Controllers.Count);
    }

    [Fact]
    public async Task Controllers_get_the_lowest_free_number()
    {
        await using var target = new TestTarget();
        using var one = target.Associate();
        using var two = target.Associate();
        Assert.Equal((1, 2), (one.ControllerId, two.ControllerId));
        one.Dispose();
        await Waiting.UntilAsync(() => target.Associations == 1, "the end of queues");
        using var three = target.Associate();
        Assert.Equal(1, three.ControllerId);
    }

    [Theory]
    [InlineData("nqn.2026-11.io.ashlar:main.none", ConnectData.AnyController, NvmeHost.HostName, 256)]
    [InlineData("iqn.2026-11.io.ashlar:main.test", ConnectData.AnyController, NvmeHost.HostName, 256)]
    [InlineData(TestTarget.Name, 0x0001, NvmeHost.HostName, 16)]
    [InlineData(TestTarget.Name, ConnectData.AnyController, "a host", 512)]
    [InlineData(TestTarget.Name, ConnectData.AnyController, "nqn.one\ntwo", 512)]
    public async Task A_Connect_that_is_refused_names_the_field(string subsystem, ushort controller, string host, int field)
    {
        await using var target = new TestTarget();
        using var admin = target.Dial();
        var reply = admin.Connect(0, subsystem, controller, hostName: host).MustFail(NvmeStatus.ConnectInvalidParameters);
        Assert.Equal((uint)field | (1u << 16), reply.Result);
        Assert.Equal(0, target.Associations);
        admin.Connect(0, TestTarget.Name).MustSucceed();
    }

    [Fact]
    public async Task A_queue_joins_only_what_is_its_hosts()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Dial();
        var other = new Guid("99999999-2222-3333-4444-555555555555");
        queue.Connect(1, TestTarget.Name, 7).MustFail(NvmeStatus.ConnectInvalidParameters);
        queue.Connect(1, NvmeNames.Discovery, admin.ControllerId).MustFail(NvmeStatus.ConnectInvalidParameters);
        queue.Connect(1, TestTarget.Name, admin.ControllerId, hostId: other).MustFail(NvmeStatus.ConnectInvalidParameters);
        queue.Connect(1, TestTarget.Name, admin.ControllerId, hostName: "nqn.other").MustFail(NvmeStatus.ConnectInvalidParameters);
        queue.Connect(129, TestTarget.Name, admin.ControllerId).MustFail(NvmeStatus.InvalidQueueIdentifier);
        queue.Connect(1, TestTarget.Name, admin.ControllerId, size: 129).MustFail(NvmeStatus.ConnectInvalidParameters);
        queue.Connect(1, TestTarget.Name, admin.ControllerId).MustSucceed();
        using var second = target.Dial();
        second.Connect(1, TestTarget.Name, admin.ControllerId).MustFail(NvmeStatus.CommandSequenceError);
        queue.Connect(1, TestTarget.Name, admin.ControllerId).MustFail(NvmeStatus.CommandSequenceError);
    }

    [Fact]
    public async Task A_queue_comes_the_way_that_its_admin_queue_has_come_and_what_is_wrong_is_not_told()
    {
        await using var target = new TestTarget(addresses: [IPAddress.Loopback, IPAddress.Loopback]);
        using var admin = target.Associate();
        using var elsewhere = NvmeHost.Dial(target.EndPoint, default, from: IPAddress.Parse("127.0.0.2"));
        using var otherPortal = target.Dial(portal: 1);
        using var queue = target.Dial();
        var other = new Guid("99999999-2222-3333-4444-555555555555");
        foreach (var reply in (Reply[])[
            elsewhere.Connect(1, TestTarget.Name, admin.ControllerId),
            otherPortal.Connect(1, TestTarget.Name, admin.ControllerId),
            queue.Connect(1, TestTarget.Name, 7),
            queue.Connect(1, "nqn.2026-11.io.ashlar:main.none", admin.ControllerId),
            queue.Connect(1, TestTarget.Name, admin.ControllerId, hostId: other),
            queue.Connect(1, TestTarget.Name, admin.ControllerId, hostName: "nqn.other"),
        ])
        {
            Assert.Equal(16u | (1u << 16), reply.MustFail(NvmeStatus.ConnectInvalidParameters).Result);
        }
        queue.Connect(1, TestTarget.Name, admin.ControllerId).MustSucceed();
    }

    [Fact]
    public async Task Nothing_is_done_before_the_queue_is_connected_and_the_controller_enabled()
    {
        await using var target = new TestTarget();
        using var admin = target.Dial();
        admin.Identify(1).MustFail(NvmeStatus.CommandSequenceError);
        admin.GetProperty(0x1C).MustFail(NvmeStatus.CommandSequenceError);
        admin.Connect(0, TestTarget.Name).MustSucceed();
        admin.Identify(1).MustFail(NvmeStatus.CommandSequenceError);
        using var queue = target.Dial();
        queue.Connect(1, TestTarget.Name, admin.ControllerId).MustFail(NvmeStatus.CommandSequenceError);
        admin.Enable();
        admin.Identify(1).MustSucceed();
    }

    [Fact]
    public async Task Properties_are_what_hosts_expect()
    {
        await using var target = new TestTarget();
        using var admin = target.Dial();
        admin.Connect(0, TestTarget.Name).MustSucceed();
        Assert.Equal(0x0000_0020_1E01_007Ful, admin.GetProperty(0, isLong: true).MustSucceed().Result);
        Assert.Equal(0x0001_0400u, admin.GetProperty(8).MustSucceed().Result);
        Assert.Equal(0u, admin.GetProperty(0x1C).MustSucceed().Result);
        admin.GetProperty(0).MustFail(NvmeStatus.InvalidField);
        admin.GetProperty(0x20).MustFail(NvmeStatus.InvalidField);
        admin.SetProperty(0x1C, 1).MustFail(NvmeStatus.InvalidField);

        // Entries of other sizes: fatal.
        admin.SetProperty(0x14, 1).MustSucceed();
        Assert.Equal(2u, admin.GetProperty(0x1C).MustSucceed().Result);
        admin.SetProperty(0x14, 0).MustSucceed();
        admin.Enable();
    }

    [Fact]
    public async Task A_reset_ends_the_queues_before_it_is_answered()
    {
        var device = new Scsi.Tests.ScriptedDevice(32768);
        await using var target = new TestTarget(device);
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        var write = new TaskCompletionSource();
        var begun = new TaskCompletionSource();
        device.BeforeWrite = _ =>
        {
            begun.TrySetResult();
            return new(write.Task);
        };
        queue.Submit(queue.Io(NvmOpcode.Write, 0, 8), NvmeHost.Pattern(4096), inCapsule: true);
        await begun.Task.WaitAsync(TimeSpan.FromSeconds(20));

        // Whether the write had ended when the reset was answered.
        var reset = Task.Run(() =>
        {
            admin.SetProperty(0x14, 0x0046_0000).MustSucceed();
            return write.Task.IsCompleted;
        });
        queue.MustBeClosed(); // So the reset is under way.
        write.SetResult();
        Assert.True(await reset.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Equal(0u, admin.GetProperty(0x1C).MustSucceed().Result);
        admin.Enable();
        using var again = target.Join(admin);
        again.Read(0, 1).MustSucceed();
    }

    [Fact]
    public async Task A_shutdown_makes_durable_what_was_written()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        queue.Write(0, NvmeHost.Pattern(512)).MustSucceed();
        var flushes = target.Device.Flushes;
        admin.SetProperty(0x14, 0x0046_4001).MustSucceed();
        Assert.Equal(2u << 2, admin.GetProperty(0x1C).MustSucceed().Result & 12);
        Assert.Equal(flushes + 1, target.Device.Flushes);
    }

    [Fact]
    public async Task A_shutdown_whose_flush_fails_is_not_complete_and_may_be_asked_for_again()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        target.Device.BeforeFlush = () => throw new Blocks.DeviceIOException("scripted", "no", isTransient: false);
        Assert.NotEqual(NvmeStatus.Success, admin.SetProperty(0x14, 0x0046_4001).Status);
        Assert.Equal(0u, admin.GetProperty(0x1C).MustSucceed().Result & 12);
        target.Device.BeforeFlush = null;
        var flushes = target.Device.Flushes;
        admin.SetProperty(0x14, 0x0046_4001).MustSucceed();
        Assert.Equal(2u << 2, admin.GetProperty(0x1C).MustSucceed().Result & 12);
        Assert.Equal(flushes + 1, target.Device.Flushes);
    }

    [Fact]
    public async Task A_queue_that_disconnects_leaves_its_association()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        queue.Run(queue.Fabrics(FabricsType.Disconnect, 0, 0, 0)).MustSucceed();
        queue.MustBeClosed();
        await Waiting.UntilAsync(() => target.Server.ConnectionCount == 1, "the end of queues");
        using var again = target.Join(admin);
        again.Read(0, 1).MustSucceed();
    }

    [Fact]
    public async Task The_end_of_the_admin_queue_is_the_end_of_all()
    {
        await using var target = new TestTarget();
        var admin = target.Associate();
        using var queue = target.Join(admin);
        admin.Dispose();
        queue.MustBeClosed();
        await Waiting.UntilAsync(() => target.Associations == 0, "the end of queues");
    }

    [Fact]
    public async Task A_host_of_which_nothing_is_heard_loses_its_association()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate(keepAlive: 100);
        admin.Admin(AdminOpcode.KeepAlive).MustSucceed();
        admin.MustBeClosed();
        await Waiting.UntilAsync(() => target.Associations == 0, "the end of queues");
        Assert.Contains(target.Reports, line => line.Contains("keep alive", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_host_that_is_cut_off_loses_all_its_queues()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        await target.Front.Sessions[0].FenceAsync(Blocks.FenceReason.ClientDetached);
        queue.MustBeClosed();
        admin.MustBeClosed();
        await Waiting.UntilAsync(() => target.Associations == 0, "the end of queues");
    }
}
