using System.Text;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Ashlar.S3;

/// <summary>The fields of a form as far as its file, which is the last that counts.</summary>
sealed record FormFields(IReadOnlyDictionary<string, string> Values, string FileName, Stream File)
{
    // Anybody can send a form, and who it is stands in its fields: all of them together have what S3 allows.
    const int MaxFields = 100, MaxFieldBytes = 20 << 10, MaxBoundaryLength = 100;

    public string? Find(string name) => Values.GetValueOrDefault(name);

    /// <summary>Reads the fields; the file is left to be read.</summary>
    /// <exception cref="S3Exception">It is no form, or one without a file.</exception>
    public static async Task<FormFields> ReadAsync(string? contentType, Stream body, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(contentType, out var type)
            || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary) is not { Length: > 0 and <= MaxBoundaryLength } boundary)
        {
            throw Malformed("it is not multipart/form-data with a boundary");
        }

        var reader = new MultipartReader(boundary.Value!, body) { HeadersCountLimit = 16, HeadersLengthLimit = 4 << 10 };
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var left = MaxFieldBytes;
        try
        {
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
                    || HeaderUtilities.RemoveQuotes(disposition.Name) is not { Length: > 0 } quoted)
                {
                    throw Malformed("a field has no name");
                }

                var name = quoted.Value!.ToLowerInvariant();
                if (name == "file")
                {
                    var fileName = HeaderUtilities.RemoveQuotes(disposition.FileName).Value ?? "";
                    return new(values, Path.GetFileName(fileName.Replace('\\', '/')), new FormContent(section.Body));
                }

                if (values.Count == MaxFields) throw Malformed($"it has more than {MaxFields} fields");
                left -= Encoding.UTF8.GetByteCount(name);
                var value = await ReadValueAsync(section.Body, left, cancellationToken);
                left -= value.Length;
                if (!values.TryAdd(name, Encoding.UTF8.GetString(value))) throw Malformed($"the field {name} is there twice");
            }
        }
        catch (Exception bad) when (bad is InvalidDataException or IOException)
        {
            throw new S3Exception(S3Error.MalformedPostRequest, S3Error.MalformedPostRequest.Message, bad);
        }

        throw S3Error.InvalidArgument.Because("The form has no field 'file'.");
    }

    static async Task<byte[]> ReadValueAsync(Stream body, int maxBytes, CancellationToken cancellationToken)
    {
        var buffer = new byte[Math.Max(maxBytes, 0) + 1];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        if (length > maxBytes)
        {
            throw new S3Exception(
                new("MaxPostPreDataLengthExceededError", 400, ""),
                $"The fields in front of the file are too long: they have {MaxFieldBytes} bytes at the most, all together.");
        }

        return buffer[..length];
    }

    static S3Exception Malformed(string why) => S3Error.MalformedPostRequest.Because($"The form cannot be read: {why}.");

    /// <summary>The file of a form; one that breaks off is not taken for a short one.</summary>
    sealed class FormContent(Stream source) : ReadOnlyStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
        {
            try
            {
                return await source.ReadAsync(destination, cancellationToken);
            }
            catch (Exception bad) when (bad is InvalidDataException or (
                IOException and not Microsoft.AspNetCore.Http.BadHttpRequestException))
            {
                throw new S3Exception(S3Error.IncompleteBody, S3Error.IncompleteBody.Message, bad);
            }
        }
    }
}
