using System.Diagnostics;
using System.Net.Http.Headers;
using Ashlar.Interop.Tests.Server;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Snapshots;

/// <summary>Snapshots of file systems, as users of QEMU meet them.</summary>
public sealed class SnapshotInteropTests
{
    const long SizeBytes = 32L << 20;

    static readonly TimeSpan Deadline = TimeSpan.FromMinutes(4);

    [FactIfTool("mkfs.ext4", "e2fsck", "qemu-img", "qemu-block-iscsi", "nbdcopy")]
    public async Task A_file_system_is_clean_after_going_back_and_a_clone_of_it_goes_its_own_way()
    {
        using var directory = TemporaryDirectory.OnDisk();
        var (first, second) = (MakeFileSystem(directory, "first", 1), MakeFileSystem(directory, "second", 2));
        using var server = new AshlarProcess(directory["data"], "256MiB");
        server.Start();
        using var http = new HttpClient { BaseAddress = server.Api };
        server.CreateVolume("vm1", $"{SizeBytes}");
        QemuImage.Copy(first, server.NbdUri("vm1"), Deadline);
        await PostAsync(http, "snapshots", """{"snapshots":[{"volume":"vm1","name":"one"}]}""");
        QemuImage.Copy(second, server.IscsiUrl("vm1"), Deadline);
        MustBeEqual(second, server.NbdUri("vm1"));
        MustBeEqual(first, server.NbdUri("vm1@one"));
        MustBeEqual(first, server.IscsiUrl("vm1:one"));

        await PostAsync(http, "volumes/vm1/snapshots/one/clone", """{"name":"copy"}""");
        MustBeEqual(first, server.NbdUri("copy"));
        QemuImage.Copy(second, server.NbdUri("copy"), Deadline);
        MustBeEqual(first, server.NbdUri("vm1@one"));

        // A killed server has all of them.
        server.Kill();
        server.Start();
        using var again = new HttpClient { BaseAddress = server.Api };
        MustBeEqual(second, server.NbdUri("copy"));
        await WhenLeftAsync(again, "vm1");
        await PostAsync(again, "volumes/vm1/snapshots/one/restore", null);
        MustBeEqual(first, server.NbdUri("vm1"));
        MustBeEqual(second, server.NbdUri("copy"));
        var copy = directory["restored.raw"];
        ExternalTool.Run(Deadline, "nbdcopy", server.NbdUri("vm1"), copy).MustSucceed();
        ExternalTool.Run(Deadline, "e2fsck", "-fn", copy).MustSucceed();
        server.Stop();
    }

    [FactIfTool("qemu-img")]
    public async Task A_chain_of_streams_makes_the_same_snapshots_on_a_second_server()
    {
        using var directory = TemporaryDirectory.OnDisk();
        using var source = new AshlarProcess(directory["source"], "256MiB");
        using var target = new AshlarProcess(directory["target"], "256MiB");
        source.Start();
        target.Start();
        using var from = new HttpClient { BaseAddress = source.Api };
        using var to = new HttpClient { BaseAddress = target.Api };
        source.CreateVolume("vm1", $"{SizeBytes}");
        var random = new SeededRandom(TestSeeds.First(nameof(SnapshotInteropTests)));
        for (var step = 1; step <= 3; step++)
        {
            using (var client = source.ConnectNbd("vm1"))
            {
                for (var i = 0; i < 20; i++)
                {
                    var data = random.Bytes(random.Next(1, 64) * 512);
                    client.Write(random.Next((int)((SizeBytes - data.Length) / 512)) * 512L, data, forceUnitAccess: false);
                }
                client.Trim(random.Next(8) << 20, 1 << 20);
            }

            await PostAsync(from, "snapshots", $$"""{"snapshots":[{"volume":"vm1","name":"s{{step}}"}]}""");
            var since = step == 1 ? "" : $"?since=s{step - 1}";
            await using var stream = await from.GetStreamAsync($"v1/pools/main/volumes/vm1/snapshots/s{step}/stream{since}");
            using var body = new StreamContent(stream);
            body.Headers.ContentType = new MediaTypeHeaderValue("application/vnd.ashlar.snapshot");
            using var imported = await to.PostAsync("v1/pools/main/volumes/backup/stream", body);
            Assert.True(imported.IsSuccessStatusCode, await imported.Content.ReadAsStringAsync());
        }

        for (var step = 1; step <= 3; step++) MustBeEqual(source.NbdUri($"vm1@s{step}"), target.NbdUri($"backup@s{step}"));
        MustBeEqual(source.NbdUri("vm1"), target.NbdUri("backup"));
        source.Stop();
        target.Stop();
    }

    static string MakeFileSystem(TemporaryDirectory directory, string name, ulong seed)
    {
        var (content, random) = (directory[$"{name}-files"], new SeededRandom(seed));
        for (var i = 0; i < 40; i++)
        {
            Directory.CreateDirectory(Path.Combine(content, $"directory-{i % 7}"));
            File.WriteAllBytes(Path.Combine(content, $"directory-{i % 7}", $"file-{i}"), random.Bytes(random.Next(1, 200_000)));
        }

        var image = directory[$"{name}.raw"];
        using (var file = File.Create(image)) file.SetLength(SizeBytes);
        ExternalTool.Run("mkfs.ext4", "-q", "-F", "-m", "0", "-d", content, image).MustSucceed();
        return image;
    }

    static async Task PostAsync(HttpClient http, string route, string? json)
    {
        using var body = json is null ? null : new StringContent(json, null, "application/json");
        using var answer = await http.PostAsync($"v1/pools/main/{route}", body);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    // A client that has gone is seen to be gone a moment later.
    static async Task WhenLeftAsync(HttpClient http, string volume)
    {
        var waited = Stopwatch.StartNew();
        while (!(await http.GetStringAsync($"v1/pools/main/volumes/{volume}")).Contains("\"nbd\":0,\"iscsi\":0", StringComparison.Ordinal))
        {
            Assert.True(waited.Elapsed < Deadline, $"{volume} is still in use");
            await Task.Delay(10);
        }
    }

    static void MustBeEqual(string first, string second) =>
        Assert.True(QemuImage.AreEqual(first, second, Deadline), $"{first} is not {second}");
}
