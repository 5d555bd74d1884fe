using System.Globalization;
using System.Text.Json;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.S3;

/// <summary>What this machine has in /usr/share, or a part of it, goes up and comes back equal; the second time nothing moves.</summary>
public sealed class RealTreeTests(ITestOutputHelper output) : IDisposable
{
    const string Source = "/usr/share";

    static readonly TimeSpan Deadline = TimeSpan.FromMinutes(9);

    readonly S3Process served = new(nodes: 3);

    static int Files => TestTier.Choose(1_000, int.MaxValue);

    static long LargestBytes => TestTier.Choose(256 << 10, long.MaxValue);

    public void Dispose() => served.Dispose();

    [Fact]
    public void By_the_command_line()
    {
        var (tree, files, bytes) = CreateTree();
        Call("file", "put", "-r", "-q", "--parallel", "16", tree, "/tree");
        var (blocks, used) = (served.DescribeBlocks(), UsedBytes());
        Call("file", "put", "-r", "-q", "--parallel", "16", "--replace", tree, "/tree");
        Assert.Equal(blocks, served.DescribeBlocks());
        Assert.Equal(used, UsedBytes());
        Call("file", "get", "-r", "-q", "--parallel", "16", "/tree", $"{served.Work}/back");
        S3Client.AssertEqualTrees(tree, $"{served.Work}/back");
        Report("ashlar", files, bytes);
    }

    [FactIfTool("rclone")]
    public void By_rclone()
    {
        var (tree, files, bytes) = CreateTree();
        served.Client.Rclone("sync", tree, "ashlar:bucket/tree", "--transfers", "16", "--checkers", "16");
        var (blocks, uploads) = (served.DescribeBlocks(), served.CountUploads());
        Assert.InRange(uploads, files, files * 2);
        served.Client.Rclone("sync", tree, "ashlar:bucket/tree", "--checkers", "16", "--fast-list");
        Assert.Equal(uploads, served.CountUploads());
        Assert.Equal(blocks, served.DescribeBlocks());
        served.Client.Rclone("sync", "ashlar:bucket/tree", $"{served.Work}/back", "--transfers", "16", "--checkers", "16", "--fast-list");
        S3Client.AssertEqualTrees(tree, $"{served.Work}/back");
        Report("rclone", files, bytes);
    }

    void Call(params string[] arguments) => served.Server.TryCommand(Deadline, arguments).MustSucceed();

    long UsedBytes()
    {
        using var customer = JsonDocument.Parse(served.Server.Command("customer", "show", "main", "--output", "json"));
        return customer.RootElement.GetProperty("usedBytes").GetInt64();
    }

    void Report(string client, int files, long bytes) =>
        output.WriteLine(JsonSerializer.Serialize(new { line = "real tree", client, files, bytes, failures = 0 }));

    /// <summary>Each n-th file, without links, which neither client stores.</summary>
    (string Root, int Files, long Bytes) CreateTree()
    {
        var root = $"{served.Work}/tree";
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        var all = new DirectoryInfo(Source).EnumerateFiles("*", options)
            .Where(static file => file.LinkTarget is null && file.Length <= LargestBytes)
            .OrderBy(static file => file.FullName, StringComparer.Ordinal).ToArray();
        var step = Math.Max(1, all.Length / Math.Min(Files, all.Length));
        var (count, bytes) = (0, 0L);
        foreach (var file in all.Where((_, index) => index % step == 0).Take(Files))
        {
            var copy = root + file.FullName[Source.Length..];
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            file.CopyTo(copy);
            (count, bytes) = (count + 1, bytes + file.Length);
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} files of {all.Length}, {bytes} bytes"));
        return (root, count, bytes);
    }
}
