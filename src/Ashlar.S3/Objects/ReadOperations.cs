using System.Globalization;
using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>Operations that read objects.</summary>
sealed class ReadOperations(S3Services services)
{
    // Of an object that is replaced again and again while it is opened, one of the versions is read in the end.
    const int MaxAttempts = 10;

    public async Task GetAsync(S3Request request)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var found = await FindAsync(request);
            var selection = Select(request, found);
            var range = selection.Range ?? new(0, found.Entry.SizeBytes);
            if (selection.IsNotModified || found.Entry.Kind == NamespaceEntryKind.Directory || range.Length == 0)
            {
                Write(request, found, selection);
                return;
            }

            FileReader reader;
            try
            {
                reader = await services.Files.ReadFileAsync(request.Customer, request.ObjectPath, range.Offset, range.Length,
                    request.Cancelled);
            }
            catch (Exception gone) when (gone is PathNotFoundException or NotAFileException)
            {
                continue;
            }

            // Another file took the name since: what was selected is not of it. Headers are written when it is certain of which, as none of
            // one version may stand in front of the content of another.
            if (reader.Entry.FileId != found.Entry.FileId) continue;
            Write(request, new(reader.Entry, reader.Properties), selection);
            await reader.CopyToAsync(request.Response.Body, request.Cancelled);
            return;
        }

        throw S3Error.ServiceUnavailable.Exception();
    }

    public async Task HeadAsync(S3Request request)
    {
        var found = await FindAsync(request);
        Write(request, found, Select(request, found));
    }

    public async Task GetAttributesAsync(S3Request request)
    {
        var found = await FindAsync(request);
        if (IsNotModified(request, found.Entry))
        {
            WriteNotModified(request.Response, found.Entry);
            return;
        }

        var wanted = (request.Header("x-amz-object-attributes")
            ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string[] known = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];
        if (wanted.Length == 0 || wanted.Except(known, StringComparer.Ordinal).Any())
            throw S3Error.InvalidArgument.Because($"x-amz-object-attributes has to name some of {string.Join(", ", known)}.");
        request.Response.Headers.LastModified = Conditions.ToSeconds(found.Entry.UpdatedAt).ToString("r", CultureInfo.InvariantCulture);
        using var answer = new XmlAnswer("GetObjectAttributesResponse");
        if (wanted.Contains("ETag")) answer.Text("ETag", ObjectVersions.TagOf(found.Entry));
        if (wanted.Contains("Checksum")) WriteChecksum(answer, found.Properties);
        if (wanted.Contains("ObjectParts")) WriteParts(request, answer, found.Properties);
        if (wanted.Contains("StorageClass")) answer.Text("StorageClass", "STANDARD");
        if (wanted.Contains("ObjectSize")) answer.Text("ObjectSize", found.Entry.SizeBytes);
        await answer.SendAsync(request.Http);
    }

    public async Task GetAclAsync(S3Request request)
    {
        await FindAsync(request);
        await BucketOperations.GetAclAsync(request);
    }

    public async Task GetTaggingAsync(S3Request request)
    {
        var found = await FindAsync(request);
        using var answer = new XmlAnswer("Tagging");
        Tagging.Write(answer, found.Properties.GetValueOrDefault(Tagging.Property));
        await answer.SendAsync(request.Http);
    }

    /// <summary>The object of a request.</summary>
    /// <exception cref="S3Exception">There is none.</exception>
    public async Task<DescribedEntry> FindAsync(S3Request request)
    {
        ObjectVersions.Require(request.Query("versionId"));
        return await FindAsync(services.Metadata, request.Customer, request.ObjectPath, request.IsDirectoryKey, request.Cancelled)
            ?? throw S3Error.NoSuchKey.Exception();
    }

    /// <summary>An object: a file, or a directory that somebody made, if the key ends in a slash.</summary>
    public static async Task<DescribedEntry?> FindAsync(
        IMetadataStore metadata, CustomerId customer, FilePath path, bool isDirectory, CancellationToken cancellationToken)
    {
        var found = await metadata.DescribeAsync(customer, path, cancellationToken);
        if (found is null) return null;
        return (found.Entry.Kind == NamespaceEntryKind.Directory) == isDirectory && !(isDirectory && found.Entry.IsImplicit) ? found : null;
    }

    // What of an object is asked for. Nothing is written yet.
    static Selection Select(S3Request request, DescribedEntry found) => IsNotModified(request, found.Entry)
        ? new(true, null, 0)
        : Select(request, found.Entry, found.Properties);

    static bool IsNotModified(S3Request request, NamespaceEntry entry)
    {
        var failed = Conditions.OfRead(request).Check(entry);
        return failed is null || failed == S3Error.NotModified ? failed is not null : throw failed.Exception();
    }

    static void WriteNotModified(HttpResponse response, NamespaceEntry entry)
    {
        ObjectAnswer.WriteValidators(response, entry);
        response.StatusCode = StatusCodes.Status304NotModified;
    }

    static void Write(S3Request request, DescribedEntry found, Selection selection)
    {
        var (entry, properties) = found;
        var response = request.Response;
        if (selection.IsNotModified)
        {
            WriteNotModified(response, entry);
            return;
        }

        ObjectAnswer.Write(request, entry, properties);
        if (selection.PartsCount > 0)
            response.Headers["x-amz-mp-parts-count"] = selection.PartsCount.ToString(CultureInfo.InvariantCulture);
        if (selection.Range is { } part)
        {
            response.StatusCode = StatusCodes.Status206PartialContent;
            response.Headers.ContentRange = $"bytes {part.Offset}-{part.Offset + part.Length - 1}/{entry.SizeBytes}";
        }
        else
        {
            // Of a range, the checksum of the whole would be a wrong one.
            ObjectAnswer.WriteChecksum(request, properties);
        }

        response.ContentLength = selection.Range?.Length ?? entry.SizeBytes;
    }

    static Selection Select(S3Request request, NamespaceEntry entry, FileProperties properties)
    {
        var header = request.Header("Range");
        // A range of a version that is not there any more is no range.
        if (header is not null && request.Header("If-Range") is { } only && !Conditions.Matches(only, ObjectVersions.TagOf(entry)))
            header = null;
        if (Numbers.Parse(request.Query("partNumber"), "partNumber", 1, MultipartLimits.MaxParts) is not { } number)
            return new(false, ByteRange.Parse(header, entry.SizeBytes), 0);
        if (header is not null) throw S3Error.InvalidRequest.Because("Range and partNumber exclude each other.");
        var sizes = PartSizes.Parse(properties.GetValueOrDefault(ObjectProperties.Parts));
        if (sizes.Count == 0)
        {
            if (number > 1) throw S3Error.InvalidPart.Exception();
            return new(false, entry.SizeBytes == 0 ? null : new ByteRange(0, entry.SizeBytes), 0);
        }

        if (number > sizes.Count) throw S3Error.InvalidPart.Exception();
        return new(false, new(sizes.Take(number - 1).Sum(), sizes[number - 1]), sizes.Count);
    }

    static void WriteChecksum(XmlAnswer answer, FileProperties properties)
    {
        foreach (var algorithm in ChecksumNames.All)
        {
            if (!properties.TryGetValue(algorithm.HeaderOf(), out var value)) continue;
            answer.Element("Checksum", checksum => checksum
                .Text(algorithm.ElementOf(), value)
                .Text("ChecksumType", properties.GetValueOrDefault(ChecksumNames.TypeHeader)));
        }
    }

    static void WriteParts(S3Request request, XmlAnswer answer, FileProperties properties)
    {
        var sizes = PartSizes.Parse(properties.GetValueOrDefault(ObjectProperties.Parts));
        if (sizes.Count == 0) return;
        var limit = Numbers.Parse(request.Header("x-amz-max-parts"), "x-amz-max-parts", 1, 1000) ?? 1000;
        var after = Numbers.Parse(request.Header("x-amz-part-number-marker"), "x-amz-part-number-marker", 0, MultipartLimits.MaxParts) ?? 0;
        var end = Math.Min(sizes.Count, after + limit);
        answer.Element("ObjectParts", parts =>
        {
            parts.Text("PartsCount", sizes.Count).Text("PartNumberMarker", after).Text("NextPartNumberMarker", end).Text("MaxParts", limit)
                .Text("IsTruncated", end < sizes.Count);
            for (var i = after; i < end; i++)
            {
                var (number, size) = (i + 1, sizes[i]);
                parts.Element("Part", part => part.Text("PartNumber", number).Text("Size", size));
            }
        });
    }

    /// <summary>What of an object a request asks for.</summary>
    /// <param name="IsNotModified">Nothing: the client has it.</param>
    /// <param name="Range">A range; null is all of it.</param>
    /// <param name="PartsCount">How many parts it has, where one of them is asked for; else 0.</param>
    readonly record struct Selection(bool IsNotModified, ByteRange? Range, int PartsCount);
}
