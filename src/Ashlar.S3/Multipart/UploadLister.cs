using System.Globalization;
using System.Text;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>
/// Lists uploads that have not been completed, by their keys: a page costs its lines, and what stands for many uploads is passed by.
/// </summary>
sealed class UploadLister(S3Services services)
{
    const int MaxListed = 1000, ReadAtOnce = 100;

    public async Task ListAsync(S3Request request)
    {
        var limit = Numbers.Parse(request.Query("max-uploads"), "max-uploads", 0, MaxListed) ?? MaxListed;
        var (prefix, delimiter) = (request.Query("prefix") ?? "", request.Query("delimiter") ?? "");
        var (keyMarker, idMarker) = (request.Query("key-marker") ?? "", request.Query("upload-id-marker") ?? "");
        var encodes = ListOperations.EncodesKeys(request);
        var found = await FindAsync(request, prefix, delimiter, new(keyMarker, idMarker), limit);
        var isTruncated = found.Count > limit;
        var lines = found.Take(limit).ToArray();

        using var answer = new XmlAnswer("ListMultipartUploadsResult", encodes);
        answer.Text("Bucket", request.Bucket).Key("KeyMarker", keyMarker).Text("UploadIdMarker", idMarker);
        answer.Key("Prefix", prefix).Text("MaxUploads", limit).Text("IsTruncated", isTruncated);
        if (delimiter.Length > 0) answer.Key("Delimiter", delimiter);
        if (encodes) answer.Text("EncodingType", "url");
        if (isTruncated && lines.Length > 0) answer.Key("NextKeyMarker", lines[^1].Name).Text("NextUploadIdMarker", lines[^1].Id);
        foreach (var line in lines)
        {
            if (line.IsPrefix) continue;
            answer.Element("Upload", element =>
            {
                element.Key("Key", line.Name).Text("UploadId", line.Id);
                element.Owner(request.Caller.OwnerId, "Initiator").Owner(request.Caller.OwnerId);
                element.Text("StorageClass", "STANDARD").Time("Initiated", line.OpenedAt);
                if (line.Algorithm is not null) element.Text("ChecksumAlgorithm", line.Algorithm).Text("ChecksumType", line.ChecksumType);
            });
        }

        foreach (var line in lines)
        {
            if (line.IsPrefix) answer.Element("CommonPrefixes", common => common.Key("Prefix", line.Name));
        }

        await answer.SendAsync(request.Http);
    }

    // The first lines behind the marker, and one more if there is one.
    async Task<List<Line>> FindAsync(S3Request request, string prefix, string delimiter, Line marker, int limit)
    {
        byte[] bucket = Encoding.UTF8.GetBytes(request.Bucket! + "/"), begin = [.. bucket, .. Encoding.UTF8.GetBytes(prefix)];
        var found = new List<Line>();
        var after = Begin(bucket, marker, LineOf(marker.Name, null, prefix, delimiter));
        while (true)
        {
            var query = new PartUploadQuery { Prefix = begin, After = after, Limit = Math.Min(ReadAtOnce, limit - found.Count + 1) };
            var page = await services.Metadata.ListPartUploadsAsync(request.Customer, query, request.Cancelled);
            foreach (var upload in page)
            {
                var path = upload.Path.Bytes.Span;
                var line = LineOf(Encoding.UTF8.GetString(path[bucket.Length..]), upload, prefix, delimiter);
                after = PartUploadQuery.Behind(path, upload.Token.Id);
                if (!line.IsBehind(marker)) continue;
                found.Add(line);
                if (found.Count > limit) return found;
                if (!line.IsPrefix) continue;
                // The rest of the page may be of the same.
                after = PartUploadQuery.BehindAll([.. bucket, .. Encoding.UTF8.GetBytes(line.Name)]);
                break;
            }

            if (page.Count == 0) return found;
        }
    }

    // Where the first line behind the marker can be.
    static ReadOnlyMemory<byte> Begin(byte[] bucket, Line marker, Line line)
    {
        if (marker.Name.Length == 0) return default;
        byte[] path = [.. bucket, .. Encoding.UTF8.GetBytes(marker.Name)];
        if (line.IsPrefix && line.Name == marker.Name) return PartUploadQuery.BehindAll(path);
        return ulong.TryParse(marker.Id, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)
            ? PartUploadQuery.Behind(path, id)
            : PartUploadQuery.BehindPath(path);
    }

    // Null for what is only asked for its name.
    static Line LineOf(string key, UploadIntent? upload, string prefix, string delimiter)
    {
        var at = delimiter.Length == 0 || key.Length < prefix.Length
            ? -1
            : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
        if (at >= 0) return new(key[..(at + delimiter.Length)], "");
        if (upload is null) return new(key, "?");
        return new(key, MultipartOperations.Format(upload.Token.Id))
        {
            OpenedAt = upload.OpenedAt,
            Algorithm = upload.Properties.GetValueOrDefault(ObjectProperties.PartsAlgorithm),
            ChecksumType = upload.Properties.GetValueOrDefault(ChecksumNames.TypeHeader),
        };
    }

    /// <summary>A line of the answer: an upload, or what the keys of several begin with, which has no number.</summary>
    sealed class Line(string name, string id)
    {
        readonly byte[] bytes = Encoding.UTF8.GetBytes(name);

        public string Name { get; } = name;

        public string Id { get; } = id;

        public bool IsPrefix => Id.Length == 0;

        public DateTimeOffset OpenedAt { get; init; }

        public string? Algorithm { get; init; }

        public string? ChecksumType { get; init; }

        public bool IsBehind(Line marker)
        {
            if (marker.Name.Length == 0) return true;
            var order = bytes.AsSpan().SequenceCompareTo(marker.bytes);
            return order > 0
                || (order == 0 && !marker.IsPrefix && !IsPrefix && string.CompareOrdinal(Id, marker.Id) > 0);
        }
    }
}
