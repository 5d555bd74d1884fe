using System.Diagnostics;
using Ashlar.Files;
using Ashlar.Files.Tests;
using Ashlar.Files.Tests.Chunks;
using Ashlar.KeyValue;
using Ashlar.Storage;

// Uploads one file to three nodes in real directories, and kills itself at a step, or stands still at one until it is told to go on.
// Arguments: directory, step, "kill" or "wait". It ends with 0 where the upload was answered, and with 1 where it was refused.
var (directory, step, isKilled) = (args[0], args[1], args[2] == "kill");
var lease = isKilled ? TimeSpan.FromMinutes(10) : TimeSpan.FromSeconds(1);

await using var metadata = EmbeddedMetadataStore.Open($"{directory}/metadata", new KeyValueOptions());
var customer = (await metadata.ListCustomersAsync(null, 1))[0].Id;
var known = new StorageNodes();
var (copies, hasReached) = (0, 0);
var nodes = new List<IStorageNode>();
for (var i = 0; i < 3; i++)
{
    var node = DirectoryNode.Open(FileSystems.Real, $"{directory}/node{i}", null, new() { ReserveBytes = 0 });
    nodes.Add(node);
    known.Add(
        new ScriptedNode(node)
        {
            After = call => call == NodeCall.Install ? ReachAsync(Interlocked.Increment(ref copies) == 1 ? "first copy" : "second copy")
                : Task.CompletedTask,
        },
        $"{i}");
}

var pinned = false;
var gateway = Intercepted<IMetadataStore>.Create(metadata, BeforeAsync);
var buffers = new BufferPool(BufferPool.DefaultBufferBytes, 64);
var pieces = new NodePieces(known, buffers, gateway, new BlockRepair(known, buffers, gateway));
var files = new FileService(gateway, new ChunkManager(known, buffers, pieces, catalogue: gateway), new() { Lease = lease });

using var end = new CancellationTokenSource();
var collecting = isKilled ? Task.CompletedTask : CollectAsync();
var answer = 0;
try
{
    var content = new byte[300_000];
    new Random(1).NextBytes(content);
    await files.CreateFileAsync(customer, FilePath.Parse("/file"), new MemoryStream(content));
    await ReachAsync("after the commit");
    Console.WriteLine("answered");
}
catch (FileStoreException e)
{
    Console.WriteLine($"refused: {e.Message}");
    answer = 1;
}

await end.CancelAsync();
await collecting;
foreach (var node in nodes) await node.DisposeAsync();
return answer;

async Task BeforeAsync(string method)
{
    // What comes after the pin has pinned.
    if (pinned && method != nameof(IUploads.RenewIntentAsync)) await ReachAsync("pin");
    if (method == nameof(IUploads.PinAsync)) pinned = true;
    if (method == nameof(IUploads.CommitAsync)) await ReachAsync("before the commit");
}

async Task ReachAsync(string at)
{
    if (at != step || Interlocked.Exchange(ref hasReached, 1) != 0) return;
    if (isKilled) Process.GetCurrentProcess().Kill();
    Console.WriteLine("reached");
    await Task.Run(Console.In.ReadLine);
}

async Task CollectAsync()
{
    var collector = new Collector(metadata, new NodeHolders(known), new() { Grace = TimeSpan.Zero, CondemnedFor = TimeSpan.Zero });
    while (!end.IsCancellationRequested)
    {
        await collector.RunAsync();
        await Task.Delay(10);
    }
}
