using System.Diagnostics;
using System.Runtime.InteropServices;
using Ashlar.KeyValue;
using Ashlar.Simulation;
using Ashlar.Storage;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Files.Tests;

/// <summary>A process with the whole store on real directories is killed, or stands still, at each step of an upload.</summary>
public sealed partial class GatewayDeathTests(ITestOutputHelper output)
{
    // The victim that is stopped has a lease of a second.
    static readonly TimeSpan LongerThanTheLease = TimeSpan.FromSeconds(1.5);

    const int KilledExitCode = 128 + 9, StopSignal = 19, ContinueSignal = 18;

    public static TheoryData<string, bool> Steps => new()
    {
        { "pin", false }, { "first copy", false }, { "second copy", false }, { "before the commit", false }, { "after the commit", true },
    };

    [Theory, MemberData(nameof(Steps))]
    public async Task A_gateway_that_is_killed_at_a_step_leaves_a_whole_file_or_none(string step, bool isThere)
    {
        using var directory = new TemporaryDirectory();
        await CreateAsync(directory);
        using (var victim = Start(directory, step, "kill"))
        {
            Assert.True(victim.WaitForExit(TimeSpan.FromMinutes(1)), "it does not end");
            Assert.Equal(KilledExitCode, victim.ExitCode);
        }

        await CheckAsync(directory, isThere);
    }

    /// <summary>
    /// It stands still for longer than its lease, collector and all, and goes on: its upload is refused, or its file is there and whole.
    /// </summary>
    [Theory]
    [InlineData("pin")]
    [InlineData("second copy")]
    [InlineData("before the commit")]
    public async Task A_gateway_that_stands_still_for_longer_than_its_lease_does_no_harm(string step)
    {
        using var directory = new TemporaryDirectory();
        await CreateAsync(directory);
        using var victim = await StartUntilReachedAsync(directory, step);
        try
        {
            Assert.Equal(0, Signal(victim.Id, StopSignal));
            await Task.Delay(LongerThanTheLease); // By the clock of another process, which goes on while it stands still.
            Assert.Equal(0, Signal(victim.Id, ContinueSignal));
            await victim.StandardInput.WriteLineAsync();
            var answer = await victim.StandardOutput.ReadLineAsync();
            output.WriteLine(answer!);
            Assert.True(victim.WaitForExit(TimeSpan.FromMinutes(1)), "it does not end");
            Assert.InRange(victim.ExitCode, 0, 1);
            await CheckAsync(directory, victim.ExitCode == 0);
        }
        finally
        {
            if (!victim.HasExited) victim.Kill();
        }
    }

    static async Task CreateAsync(TemporaryDirectory directory)
    {
        await using var metadata = EmbeddedMetadataStore.Open(directory["metadata"], new KeyValueOptions());
        await metadata.CreateCustomerAsync("customer", Quota.None);
        for (var i = 0; i < 3; i++) DirectoryNode.Create(FileSystems.Real, directory[$"node{i}"]);
    }

    // On a machine with much to do a lease of a second may be over before the step is reached: then it is begun anew.
    static async Task<Process> StartUntilReachedAsync(TemporaryDirectory directory, string step)
    {
        for (var attempt = 1; ; attempt++)
        {
            var victim = Start(directory, step, "wait");
            var said = await victim.StandardOutput.ReadLineAsync();
            if (said == "reached") return victim;
            await victim.WaitForExitAsync();
            victim.Dispose();
            Assert.True(said?.StartsWith("refused", StringComparison.Ordinal) == true && attempt < 10, said);
        }
    }

    static Process Start(TemporaryDirectory directory, string step, string mode)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "Ashlar.Files.Victim.dll");
        return Process.Start(new ProcessStartInfo("dotnet", [program, directory.DirectoryPath, step, mode])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
    }

    /// <summary>The file is there and whole, with verified copies, or not; and once every lease is over nothing else is left.</summary>
    static async Task CheckAsync(TemporaryDirectory directory, bool isThere)
    {
        var clock = new SimulatedClock(DateTimeOffset.UtcNow);
        await using var metadata = EmbeddedMetadataStore.Open(directory["metadata"], new KeyValueOptions { TimeProvider = clock });
        var known = new StorageNodes(clock);
        var nodes = new List<DirectoryNode>();
        for (var i = 0; i < 3; i++)
        {
            nodes.Add(DirectoryNode.Open(FileSystems.Real, directory[$"node{i}"], null, new() { ReserveBytes = 0 }));
            known.Add(nodes[i], $"{i}");
            Assert.Empty(Directory.GetFiles(directory[$"node{i}/temp"]));
        }

        var buffers = new BufferPool(BufferPool.DefaultBufferBytes, 64);
        var repair = new BlockRepair(known, buffers, metadata);
        var holders = new NodeHolders(known, clock);
        var customer = (await metadata.ListCustomersAsync(null, 1))[0].Id;
        var path = FilePath.Parse("/file");
        Assert.Equal(isThere, await metadata.StatAsync(customer, path) is not null);

        var collector = new Collector(
            metadata, holders, new() { Grace = TimeSpan.Zero, CondemnedFor = TimeSpan.Zero, TimeProvider = clock });
        for (var pass = 0; pass < 3; pass++)
        {
            clock.Advance(TimeSpan.FromHours(1));
            await collector.RunAsync();
        }

        await repair.RunAsync();
        if (isThere)
        {
            var content = new byte[300_000];
            new Random(1).NextBytes(content);
            var read = new MemoryStream();
            var pieces = new NodePieces(known, buffers, metadata, repair);
            var files = new FileService(metadata, new ChunkManager(known, buffers, pieces, catalogue: metadata));
            await (await files.ReadFileAsync(customer, path)).CopyToAsync(read);
            Assert.Equal(content, read.ToArray());
        }

        Assert.True((await new FileVerifier(metadata, holders).RunAsync()).IsProved);
        Assert.Equal(isThere ? 3 : 0, nodes.Sum(static node => Directory.GetFiles($"{node.Path}/blocks", "*", SearchOption.AllDirectories)
            .Count(static file => Path.GetFileName(file) != "mark")));
        foreach (var node in nodes) await node.DisposeAsync();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int processId, int signal);
}
