using System.Diagnostics;
using Ashlar.Interop.Tests.Server;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.S3;

/// <summary>The built program in a process of its own, with all its storage nodes on one disk, and programs that speak S3 to it.</summary>
sealed class S3Process : IDisposable
{
    readonly TemporaryDirectory directory = TemporaryDirectory.OnDisk();

    public S3Process(int nodes = 1)
    {
        Server = new AshlarProcess(directory["data"], "64MiB") { Options = ["--log-level", "debug"] };
        Server.Start();
        for (var i = 1; i < nodes; i++) Server.Command("node", "add", $"disk{i}", directory[$"disk{i}"]);
        Directory.CreateDirectory(Work);
        var (id, secret) = Server.FirstKey;
        Client = new(Work, Server.S3Url, id, secret) { Deadline = TimeSpan.FromMinutes(9) };
    }

    public AshlarProcess Server { get; }

    public S3Client Client { get; }

    /// <summary>A directory for the clients' files.</summary>
    public string Work => directory["work"];

    /// <summary>How often content was sent over S3.</summary>
    public int CountUploads() => Server.Log.Split('\n').Count(static line =>
        (line.Contains("PUT /", StringComparison.Ordinal) || line.Contains("POST /", StringComparison.Ordinal))
        && line.Contains(": 200 in ", StringComparison.Ordinal));

    /// <summary>Blocks of the first node as its disk has them: a block that is written again is another file.</summary>
    public string DescribeBlocks()
    {
        var start = new ProcessStartInfo("find", ["blocks", "-type", "f", "-printf", "%P %i %s %T@\n"])
        {
            WorkingDirectory = directory["data/files/nodes/main"],
        };
        var lines = ExternalTool.Run(ExternalTool.DefaultDeadline, start).MustSucceed().Split('\n');
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }

    public void Dispose()
    {
        Server.Dispose();
        directory.Dispose();
    }
}
