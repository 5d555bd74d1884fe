using System.Text;
using Ashlar.Files;

namespace Ashlar.S3;

/// <summary>Lists uploads that have not been completed, by their keys.</summary>
/// <remarks>
/// The store has them in the order of their numbers: all of the customer's are looked at for each page, and no more of them are held than
/// the page has lines, without what is kept with them.
/// </remarks>
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
    async Task<SortedSet<Line>> FindAsync(S3Request request, string prefix, string delimiter, Line marker, int limit)
    {
        var first = new SortedSet<Line>(Line.Order);
        IntentToken? after = null;
        while (await services.Metadata.ListIntentsAsync(
            request.Customer, after, false, ReadAtOnce, request.Cancelled) is { Count: > 0 } page)
        {
            foreach (var upload in page)
            {
                if (upload is not { IsInParts: true, IsReleased: false } || upload.Path.Bucket != request.BucketPath) continue;
                var key = Encoding.UTF8.GetString(upload.Path.Bytes.Span[(Encoding.UTF8.GetByteCount(request.Bucket!) + 1)..]);
                if (!key.StartsWith(prefix, StringComparison.Ordinal)) continue;
                var line = LineOf(key, upload, prefix, delimiter);
                if (!line.IsBehind(marker)) continue;
                first.Add(line);
                if (first.Count > limit + 1) first.Remove(first.Max!);
            }

            after = page[^1].Token;
            // A store that answers at once would keep the thread from others until all is read.
            await Task.Yield();
        }

        return first;
    }

    static Line LineOf(string key, UploadIntent upload, string prefix, string delimiter)
    {
        var at = delimiter.Length == 0 ? -1 : key.IndexOf(delimiter, prefix.Length, StringComparison.Ordinal);
        if (at >= 0) return new(key[..(at + delimiter.Length)], "");
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

        // Keys sort by their bytes, and numbers of one key by their digits, which are sixteen.
        public static Comparer<Line> Order { get; } = Comparer<Line>.Create(
            (left, right) => left.bytes.AsSpan().SequenceCompareTo(right.bytes) is not 0 and var order
                ? order
                : string.CompareOrdinal(left.Id, right.Id));

        public bool IsBehind(Line marker)
        {
            if (marker.Name.Length == 0) return true;
            var order = bytes.AsSpan().SequenceCompareTo(marker.bytes);
            return order > 0
                || (order == 0 && !marker.IsPrefix && !IsPrefix && string.CompareOrdinal(Id, marker.Id) > 0);
        }
    }
}
