using System.Globalization;
using System.Xml.Linq;
using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>Deletes objects. What is not there is as good as deleted.</summary>
sealed class DeleteOperations(S3Services services)
{
    // Each deletion waits for its own sync: some at a time share one.
    const int MaxObjects = 1000, MaxXmlBytes = 4 << 20, MaxAtOnce = 16;

    public async Task DeleteAsync(S3Request request)
    {
        await DeleteAsync(
            request, request.Key, request.Query("versionId"),
            new(
                request.Header("If-Match"), request.Header("x-amz-if-match-last-modified-time"), request.Header("x-amz-if-match-size")));
        request.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    public async Task DeleteManyAsync(S3Request request)
    {
        var root = await XmlBody.ReadAsync(request, "Delete", MaxXmlBytes);
        root.AllowOnly("Quiet", "Object");
        var objects = root.All("Object").ToArray();
        if (objects.Length is 0 or > MaxObjects) throw S3Error.MalformedXml.Because($"There is no object, or more than {MaxObjects}.");
        foreach (var one in objects)
        {
            one.AllowOnly("Key", "VersionId", "ETag", "LastModifiedTime", "Size");
            if (one.Need("Key").Length == 0) throw S3Error.MalformedXml.Because("A key is empty.");
        }

        var isQuiet = root.Text("Quiet") is { } quiet && quiet.Trim().Equals("true", StringComparison.OrdinalIgnoreCase);
        var failures = new S3Exception?[objects.Length];
        await Parallel.ForAsync(
            0, objects.Length, new ParallelOptions { MaxDegreeOfParallelism = MaxAtOnce, CancellationToken = request.Cancelled },
            async (i, _) => failures[i] = await TryDeleteAsync(request, objects[i]));
        using var answer = new XmlAnswer("DeleteResult");
        foreach (var (one, failure) in objects.Zip(failures))
        {
            if (failure is not null)
            {
                answer.Element("Error", error => ErrorAnswer.Write(
                    error.Text("Key", one.Need("Key")).Text("VersionId", one.Text("VersionId")), failure));
            }
            else if (!isQuiet)
            {
                answer.Element("Deleted", deleted => deleted.Text("Key", one.Need("Key")).Text("VersionId", one.Text("VersionId")));
            }
        }

        await answer.SendAsync(request.Http);
    }

    async Task<S3Exception?> TryDeleteAsync(S3Request request, XElement one)
    {
        try
        {
            await DeleteAsync(
                request, one.Need("Key"), one.Text("VersionId"), new(one.Text("ETag"), one.Text("LastModifiedTime"), one.Text("Size")));
            return null;
        }
        catch (Exception failure) when (StoreFailures.Translate(failure) is { } known)
        {
            return known;
        }
    }

    async Task DeleteAsync(S3Request request, string key, string? version, DeleteConditions conditions)
    {
        if (version is not (null or "" or ObjectVersions.Only)) throw S3Error.NoSuchVersion.Exception();
        FilePath path;
        try
        {
            path = S3Request.PathOf(request.Bucket!, key);
        }
        catch (S3Exception invalid) when (
            invalid is { InnerException: not InvalidPathException { IsOtherForm: true } }
            && invalid.Error == S3Error.InvalidArgument
            && !conditions.AreAny)
        {
            return; // Nothing has this name, nor one that looks the same.
        }

        var isDirectory = key.EndsWith('/');
        try
        {
            NamespaceEntry? ifIs = null;
            if (conditions.AreAny)
            {
                var found = await ReadOperations.FindAsync(services.Metadata, request.Customer, path, isDirectory, request.Cancelled)
                    ?? throw S3Error.NoSuchKey.Exception();
                conditions.Require(found.Entry);
                ifIs = found.Entry;
            }

            // What was looked at is what is deleted: whoever changes it meanwhile is found by the store.
            if (isDirectory) await services.Files.ReleaseDirectoryAsync(request.Customer, path, ifIs, request.Cancelled);
            else await services.Metadata.DeleteFileAsync(request.Customer, path, ifIs?.Tag, request.Cancelled);
        }
        catch (Exception absent) when (absent is PathNotFoundException or NotAFileException or NotADirectoryException)
        {
            if (conditions.AreAny) throw S3Error.NoSuchKey.Exception();
        }
    }

    /// <summary>What an object must be to be deleted.</summary>
    sealed record DeleteConditions(string? Tag, string? ChangedAt, string? Size)
    {
        public bool AreAny => Tag is not null || ChangedAt is not null || Size is not null;

        public void Require(NamespaceEntry entry)
        {
            if (Tag is not null && !Conditions.Matches(Tag, ObjectVersions.TagOf(entry))) throw S3Error.PreconditionFailed.Exception();
            if (ChangedAt is not null && Conditions.Time(ChangedAt) is var at
                && (at is null || Conditions.ToSeconds(at.Value) != Conditions.ToSeconds(entry.UpdatedAt)))
                throw S3Error.PreconditionFailed.Exception();
            if (Size is not null && Size != entry.SizeBytes.ToString(CultureInfo.InvariantCulture))
                throw S3Error.PreconditionFailed.Exception();
        }
    }
}
