using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Pools;

/// <summary>A pool on a RAID set loses devices under a client that verifies what it reads.</summary>
public sealed class RaidInteropTests
{
    static readonly TimeSpan LongestRebuild = TimeSpan.FromMinutes(2);

    [FactIfTool("fio")]
    public async Task Two_devices_of_a_raid_6_vanish_under_fio_which_sees_no_error_and_spares_step_in()
    {
        using var directory = TemporaryDirectory.OnDisk();
        using var server = new AshlarProcess(directory["data"], "64MiB");
        server.Start();
        string[] devices = [.. "abcdef".Select(name => directory[$"{name}"])];
        server.Command(
        [
            "pool", "create", "safe", "--raid", "6", .. devices.SelectMany(path => (string[])["--device", path]),
            "--spare", directory["s1"], "--spare", directory["s2"], "--size", "16MiB",
        ]);
        server.CreateVolume("safe/vm1", "48MiB");
        var fio = ExternalTool.RunAsync(
            "fio",
            "--name=verify",
            "--ioengine=nbd",
            $"--uri={server.NbdUri("safe/vm1")}",
            "--rw=randwrite",
            "--bsrange=4k-128k",
            "--bs_unaligned=0",
            "--blockalign=4k",
            "--iodepth=8",
            "--size=48m",
            "--fsync=64",
            "--verify=crc32c",
            "--verify_backlog=64",
            "--verify_fatal=1",
            "--time_based=1",
            "--runtime=12");
        await Task.Delay(TimeSpan.FromSeconds(3));
        File.Delete(devices[1]);
        await Task.Delay(TimeSpan.FromSeconds(3));
        Assert.False(fio.IsCompleted, "fio ended too soon");
        File.Delete(devices[4]);
        (await fio).MustSucceed();

        Assert.True(
            SpinWait.SpinUntil(IsHealthy, LongestRebuild), server.Command("pool", "show", "safe") + server.Log);
        var shown = server.Command("pool", "show", "safe");
        foreach (var spare in (string[])["s1", "s2"]) Assert.Contains($"{directory[spare]}: in-sync", shown, StringComparison.Ordinal);
        Assert.Contains("nothing wrong", server.Command("pool", "verify", "safe"), StringComparison.Ordinal);
        Assert.Contains("nothing wrong", server.Command("pool", "scrub", "safe"), StringComparison.Ordinal);
        server.Command("pool", "remove-device", "safe", devices[1]);
        server.Stop();
        server.Start();
        Assert.True(IsHealthy());
        server.Stop();

        bool IsHealthy() => server.Command("pool", "show", "safe").Contains("6, healthy", StringComparison.Ordinal);
    }
}
