using System.Globalization;
using System.Net;
using Amazon.S3;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Files;

/// <summary>
/// Disks of a server that runs: full, read-only, or another where a node is. What is stored stays, and what is answered is so.
/// </summary>
public sealed class FileDiskFaultTests : IAsyncLifetime
{
    readonly TemporaryDirectory directory = TemporaryDirectory.OnDisk();
    readonly Dictionary<string, byte[]> stored = new(StringComparer.Ordinal);
    IDisposable? disk;
    AshlarProcess server = null!;
    AmazonS3Client client = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync()
    {
        client?.Dispose();
        server?.Dispose();
        disk?.Dispose(); // Not before the server, which keeps it busy.
        directory.Dispose();
        return Task.CompletedTask;
    }

    [FullDiskTheory]
    [InlineData(false)]
    [InlineData(true)]
    public Task A_disk_that_is_full_takes_nothing_and_keeps_what_it_has(bool isOfNode)
    {
        var memory = new MemoryVolume(isOfNode ? 384 : 640); // Of which a node leaves 256 to others.
        disk = memory;
        return RunAsync(memory.Path, isOfNode, () => Fill(memory.Path), () =>
        {
            File.Delete($"{memory.Path}/filler");
            server.Stop();
        });
    }

    /// <summary>As ext4 becomes by itself when its device fails.</summary>
    [PowerCutTheory]
    [InlineData(false)]
    [InlineData(true)]
    public Task A_disk_that_becomes_read_only_takes_nothing_and_keeps_what_it_has(bool isOfNode)
    {
        var volume = new LoopVolume(mebibytes: isOfNode ? 384 : 640);
        disk = volume;
        return RunAsync(volume.MountPoint, isOfNode, volume.MakeReadOnly, () =>
        {
            server.Kill();
            volume.Remount();
        });
    }

    /// <summary>
    /// Another file system appears where a node is, while the server runs and when it starts: empty, or a copy of another.
    /// </summary>
    [FullDiskTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_disk_that_is_mounted_over_a_node_is_never_taken_for_it(bool hasAnotherNode)
    {
        await StartAsync(directory["data"], directory["disk1"], directory["disk2"], directory["disk3"]);
        await PutAsync(6);
        ExternalTool.Run("mount", "-t", "tmpfs", "-o", "size=64m", "ashlar", directory["disk2"]).MustSucceed();
        try
        {
            if (hasAnotherNode) ExternalTool.Run("cp", "-a", $"{directory["disk3"]}/.", directory["disk2"]).MustSucceed();
            var before = Describe(directory["disk2"]);
            await PutAsync(6);
            await CheckAsync();
            Assert.Equal(before, Describe(directory["disk2"]));
            server.Stop();
            server.Start();
            Reconnect();
            Assert.Contains("unavailable", server.Command("node", "show", "disk2"), StringComparison.Ordinal);
            await PutAsync(3);
            await CheckAsync();
            Assert.Equal(before, Describe(directory["disk2"]));
            server.Stop();
        }
        finally
        {
            if (server.IsRunning) server.Kill();
            ExternalTool.Run("umount", directory["disk2"]).MustSucceed();
        }

        server.Start();
        Reconnect();
        await CheckAsync();
        Assert.Contains("copies read and verified", server.Command("file", "verify"), StringComparison.Ordinal);
    }

    static void Fill(string path)
    {
        // To the last page: a write that does not fit is cut off at one.
        foreach (var length in (int[])[1 << 20, 4096])
        {
            using var filler = new FileStream($"{path}/filler", FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
            var zeroes = new byte[length];
            try
            {
                while (true) filler.Write(zeroes);
            }
            catch (IOException)
            {
                // Full.
            }
        }
    }

    static string Describe(string path) => ExternalTool.Run("find", path, "-type", "f", "-printf", "%P %s %i\n").MustSucceed();

    static byte[] S3Content(int length) => S3.S3Client.Content(length, length);

    /// <summary>One disk of three breaks, and the others take what comes; or the only one, and nothing new is answered.</summary>
    async Task RunAsync(string path, bool isOfNode, Action breakDisk, Action mendAndEnd)
    {
        if (isOfNode) await StartAsync(directory["data"], directory["disk1"], $"{path}/disk2");
        else await StartAsync($"{path}/data");
        await PutAsync(6);
        breakDisk();
        if (isOfNode) await PutAsync(6);
        for (var i = 0; !isOfNode && i < 4; i++)
        {
            var refused = await Assert.ThrowsAnyAsync<AmazonS3Exception>(() => PutAsync($"refused{i}", S3Content(300_000 + i)));
            Assert.InRange(refused.StatusCode, HttpStatusCode.InternalServerError, HttpStatusCode.InsufficientStorage);
        }

        await CheckAsync();
        mendAndEnd(); // A node whose flush has failed is read from only, until the server is started again.
        server.Start();
        Reconnect();
        await CheckAsync();
        await PutAsync(3);
        await CheckAsync();
        Assert.Contains("copies read and verified", server.Command("file", "verify"), StringComparison.Ordinal);
    }

    async Task StartAsync(string data, params string[] nodes)
    {
        server = new AshlarProcess(data, "64MiB");
        server.Start();
        foreach (var node in nodes) server.Command("node", "add", Path.GetFileName(node), node, "--domain", Path.GetFileName(node));
        Reconnect();
        await client.PutBucketAsync("bucket");
    }

    void Reconnect()
    {
        client?.Dispose();
        client = FileWriters.Connect(server);
    }

    async Task PutAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var key = stored.Count.ToString(CultureInfo.InvariantCulture);
            var content = S3Content(i % 3 == 0 ? 1000 + stored.Count : 100_000 + stored.Count);
            await PutAsync(key, content);
            stored.Add(key, content);
        }
    }

    async Task PutAsync(string key, byte[] content) =>
        await client.PutObjectAsync(new() { BucketName = "bucket", Key = key, InputStream = new MemoryStream(content) });

    async Task CheckAsync()
    {
        foreach (var (key, content) in stored)
        {
            using var got = await client.GetObjectAsync("bucket", key);
            var found = new MemoryStream();
            await got.ResponseStream.CopyToAsync(found);
            Assert.True(content.AsSpan().SequenceEqual(found.ToArray()), key);
        }

        Assert.Equal(stored.Keys.Order(StringComparer.Ordinal), (await client.ListObjectsV2Async(new() { BucketName = "bucket" }))
            .S3Objects.Select(static one => one.Key).Order(StringComparer.Ordinal));
    }
}
