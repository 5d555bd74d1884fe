namespace Ashlar.Files.Tests;

static class UploadExtensions
{
    /// <summary>Opens an intent that is as simple as one can be.</summary>
    public static Task<UploadIntent> OpenIntentAsync(
        this IUploads uploads, CustomerId customer, ulong id, FilePath path, string owner, TimeSpan lease,
        CancellationToken cancellationToken = default) =>
        uploads.OpenIntentAsync(customer, new() { Id = id, Path = path, Owner = owner, Lease = lease }, cancellationToken);
}
