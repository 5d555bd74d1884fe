using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Ashlar.Api;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>
/// The catalogue as lines of JSON. It is as long as the maps are, and takes the memory of one line: who reads slowly holds up the reading
/// of the maps. Each pool is as it was at one moment, when the stream came to it.
/// </summary>
static class CatalogueStream
{
    public const string ContentType = "application/x-ndjson";

    const long UnflushedBytes = 64 * 1024;

    public static async Task WriteAsync(ServedPools pools, PipeWriter target, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var json = new Utf8JsonWriter(target);
        await LineAsync(new() { Head = new(ApiVersion.Current, "Catalogue", now) });
        long volumes = 0, blocks = 0, unreadable = 0;
        foreach (var pool in pools.All.OrderBy(pool => pool.Name, StringComparer.Ordinal))
        {
            using var view = await pool.OpenMapViewAsync();
            foreach (var volume in view.Volumes)
            {
                volumes++;
                await LineAsync(new() { Volume = Describe(pool, volume, view.FindOrigin(volume)) });
                Guid? parent = null;
                foreach (var snapshot in view.ListSnapshots(volume))
                {
                    await LineAsync(new() { Snapshot = new(snapshot.Id, snapshot.CreatedAt, snapshot.SizeBytes, parent) });
                    parent = snapshot.Id;
                }
                foreach (var run in view.ReadRuns(volume, onDamage: _ => unreadable++))
                {
                    if (!run.HoldsData) continue;
                    blocks += run.BlockCount;
                    await LineAsync(new() { Blocks = new(run.FirstBlock, run.BlockCount, pool.Name, run.PlaceBytes) });
                }
            }
        }
        await LineAsync(new() { End = new(volumes, blocks, unreadable) });
        await target.FlushAsync(cancellationToken);

        async ValueTask LineAsync(CatalogueEntry entry)
        {
            JsonSerializer.Serialize(json, entry, ApiJson.Strict.CatalogueEntry);
            json.Flush();
            json.Reset();
            target.Write("\n"u8);
            if (target.UnflushedBytes < UnflushedBytes) return;
            var flushed = await target.FlushAsync(cancellationToken);
            if (flushed.IsCanceled || flushed.IsCompleted) throw new OperationCanceledException(cancellationToken);
        }
    }

    static CatalogueVolume Describe(ServedPool pool, VolumeInfo volume, Guid? origin) => new(
        volume.Id,
        pool.Name,
        volume.Name,
        volume.SizeBytes,
        volume.AllocatedBytes,
        volume.Resize is null ? "online" : "resizing",
        volume.CreatedAt,
        origin);
}
