using Ashlar.KeyValue;

namespace Ashlar.Files.Bench;

/// <summary>Puts many names into the metadata of a server that does not run: the directory that is listed.</summary>
static class WireFill
{
    public const string Bucket = "fill", RestPath = $"/v1/customers/main/files/{Bucket}/d";

    const int Writers = 16;

    public static async Task RunAsync(string data, int names)
    {
        await using var store = EmbeddedMetadataStore.Open(Path.Combine(data, "files", "metadata"), KeyValueOptions.Default);
        var customer = (await store.FindCustomerAsync("main") ?? throw new IOException("the server was never started")).Id;
        await store.CreateDirectoryAsync(customer, FilePath.Parse($"/{Bucket}"));
        var content = new byte[1024];
        var next = -1;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Increment(ref next) is var number && number < names)
            {
                await store.CommitInlineAsync(customer, (ulong)number + 1, new()
                {
                    Path = FilePath.Parse($"/{Bucket}/d/{number:x8}"),
                    Tag = "900150983cd24fb0d6963f7d28e17f72",
                    Inline = content,
                    CreateParents = true,
                });
            }
        })));
    }
}
