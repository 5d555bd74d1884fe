using System.Net.Http.Headers;
using Ashlar.Api;

namespace Ashlar.CommandLine;

sealed partial class ApiClient
{
    const string StreamType = "application/vnd.ashlar.snapshot";

    public Task<SnapshotList> TakeSnapshotsAsync(string pool, TakeSnapshots request, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post, $"{PoolUrl(pool)}/snapshots", ApiJson.Strict.SnapshotList, Body(request, ApiJson.Strict.TakeSnapshots),
        cancellationToken);

    /// <summary>All snapshots of a volume, with what deleting each alone would give back.</summary>
    public async Task<SnapshotList> ListSnapshotsAsync(VolumePath volume, bool isMeasured, CancellationToken cancellationToken) => new()
    {
        Items = await ListAsync(
            $"{VolumeUrl(volume)}/snapshots{(isMeasured ? "?space=true" : "")}",
            ApiJson.Strict.SnapshotList,
            page => (page.Items, page.Next),
            cancellationToken),
    };

    public Task<Snapshot> GetSnapshotAsync(SnapshotPath path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Get, SnapshotUrl(path), ApiJson.Strict.Snapshot, null, cancellationToken);

    public Task<Snapshot> RenameSnapshotAsync(SnapshotPath path, string newName, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Patch, SnapshotUrl(path), ApiJson.Strict.Snapshot,
        Body(new ChangeSnapshot { Name = newName }, ApiJson.Strict.ChangeSnapshot), cancellationToken);

    public Task<SnapshotDeletion> DeleteSnapshotsAsync(VolumePath volume, DeleteSnapshots request, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Post, $"{VolumeUrl(volume)}/snapshot-deletions", ApiJson.Strict.SnapshotDeletion,
            Body(request, ApiJson.Strict.DeleteSnapshots), cancellationToken);

    public Task<Volume> RestoreSnapshotAsync(SnapshotPath path, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{SnapshotUrl(path)}/restore", ApiJson.Strict.Volume, null, cancellationToken);

    public Task<Volume> CloneSnapshotAsync(SnapshotPath path, string name, CancellationToken cancellationToken) => SendAsync(
        HttpMethod.Post, $"{SnapshotUrl(path)}/clone", ApiJson.Strict.Volume,
        Body(new CloneSnapshot { Name = name }, ApiJson.Strict.CloneSnapshot), cancellationToken);

    public Task<Volume> FlattenAsync(VolumePath volume, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Post, $"{VolumeUrl(volume)}/flatten", ApiJson.Strict.Volume, null, cancellationToken);

    /// <summary>What of a snapshot differs from an older one.</summary>
    public async Task<SnapshotChanges> CompareSnapshotsAsync(SnapshotPath path, string since, CancellationToken cancellationToken) => new()
    {
        Items = await ListAsync(
            $"{SnapshotUrl(path)}/changes?since={Uri.EscapeDataString(since)}",
            ApiJson.Strict.SnapshotChanges,
            page => (page.Items, page.Next),
            cancellationToken),
    };

    /// <summary>Opens the stream of a snapshot. It may be read as slowly as one likes.</summary>
    public async Task<Stream> ExportSnapshotAsync(SnapshotPath path, string? since, CancellationToken cancellationToken)
    {
        var url = $"{SnapshotUrl(path)}/stream{(since is null ? "" : $"?since={Uri.EscapeDataString(since)}")}";
        var response = await SendAsync(HttpMethod.Get, url, null, null, cancellationToken, isStream: true);
        return await response.Content.ReadAsStreamAsync(cancellationToken);
    }

    public async Task<Snapshot> ImportSnapshotAsync(VolumePath volume, Stream source, bool mayRevert, CancellationToken cancellationToken)
    {
        using var body = new StreamContent(source, bufferSize: 1 << 20);
        body.Headers.ContentType = new MediaTypeHeaderValue(StreamType);
        var url = $"{VolumeUrl(volume)}/stream{(mayRevert ? "?revert=true" : "")}";
        return await SendAsync(HttpMethod.Post, url, ApiJson.Strict.Snapshot, body, cancellationToken);
    }

    static string SnapshotUrl(SnapshotPath path) => $"{VolumeUrl(path.Volume)}/snapshots/{Uri.EscapeDataString(path.Name)}";
}
