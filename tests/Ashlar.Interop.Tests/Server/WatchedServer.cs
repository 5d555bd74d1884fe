using System.Globalization;
using Ashlar.Interop.Tests.Clients;
using Ashlar.Simulation;
using Ashlar.TestKit;

namespace Ashlar.Interop.Tests.Server;

/// <summary>A server with volume vm1 and a client of each of two protocols that work on it, whose memory is watched from then on.</summary>
sealed class WatchedServer : IDisposable
{
    const int Rounds = 50;

    readonly TemporaryDirectory directory = TemporaryDirectory.OnDisk();
    readonly IBlockClient nbd;
    readonly IscsiClient iscsi;
    readonly long residentBefore;

    public WatchedServer()
    {
        Server = new AshlarProcess(directory["data"], "64MiB");
        Server.Start();
        Server.CreateVolume("vm1", "32MiB");
        nbd = Server.ConnectNbd("vm1");
        iscsi = Server.ConnectIscsi("vm1", session: 1);
        Work();
        residentBefore = ResidentBytes();
    }

    public AshlarProcess Server { get; }

    /// <summary>What the server's memory has grown by.</summary>
    public long GrowthBytes => ResidentBytes() - residentBefore;

    /// <summary>Threads of the server.</summary>
    public int ThreadCount => Directory.GetDirectories($"/proc/{Server.ProcessId}/task").Length;

    /// <summary>Descriptors that the server has open.</summary>
    public int DescriptorCount => Directory.GetFileSystemEntries($"/proc/{Server.ProcessId}/fd").Length;

    /// <summary>Waits until something is so of the server.</summary>
    /// <returns>False where it never came.</returns>
    public static bool WaitFor(Func<bool> isSo) => SpinWait.SpinUntil(isSo, Waiting.Limit);

    /// <summary>Writes by one protocol and finds it by the other.</summary>
    /// <returns>How many requests were answered.</returns>
    public int Work()
    {
        var data = new SeededRandom(1).Bytes(4096);
        var found = new byte[data.Length];
        for (var i = 0; i < Rounds; i++)
        {
            nbd.Write(i * 4096, data, forceUnitAccess: false);
            iscsi.Read(i * 4096, found);
            Assert.Equal(data, found);
        }
        iscsi.Flush();
        return 2 * Rounds;
    }

    public void Dispose()
    {
        nbd.Dispose();
        iscsi.Dispose();
        Server.Dispose();
        directory.Dispose();
    }

    long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{Server.ProcessId}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) << 10;
    }
}
