using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>An answer in XML as it is written, in UTF-8.</summary>
/// <remarks>
/// A page of a listing has thousands of elements: they are written as bytes, into memory that is used again.
/// </remarks>
sealed class XmlAnswer : IDisposable
{
    const string Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";
    const int FirstBytes = 4 << 10;

    // What text cannot have as it is. Keys may have characters that XML has not; they are written as references, as S3 does, unless a
    // client asks for another encoding. So are carriage returns, which whoever reads XML makes others of.
    static readonly SearchValues<char> Special = SearchValues.Create(
        [.. "<>&\r\uFFFE\uFFFF", .. Enumerable.Range(0, ' ').Select(static code => (char)code).Except(['\t', '\n', '\r'])]);

    readonly string root;
    readonly bool encodesKeys;
    byte[] content = ArrayPool<byte>.Shared.Rent(FirstBytes);
    int length;

    public XmlAnswer(string root, bool encodesKeys = false, bool hasNamespace = true)
    {
        (this.root, this.encodesKeys) = (root, encodesKeys);
        Put("<?xml version=\"1.0\" encoding=\"utf-8\"?><"u8);
        Put(root);
        if (hasNamespace)
        {
            Put(" xmlns=\""u8);
            Put(Namespace);
            Put("\""u8);
        }

        Put(">"u8);
    }

    /// <summary>Begins an element, whose end is written by <see cref="End"/>.</summary>
    public XmlAnswer Begin(string name)
    {
        Put("<"u8);
        Put(name);
        Put(">"u8);
        return this;
    }

    public XmlAnswer End(string name)
    {
        Put("</"u8);
        Put(name);
        Put(">"u8);
        return this;
    }

    public XmlAnswer Text(string name, string? value)
    {
        if (value is null) return this;
        Begin(name);
        PutText(value);
        return End(name);
    }

    public XmlAnswer Text(string name, long value)
    {
        Begin(name);
        Reserve(20);
        value.TryFormat(content.AsSpan(length), out var written, default, CultureInfo.InvariantCulture);
        length += written;
        return End(name);
    }

    public XmlAnswer Text(string name, bool value) => Text(name, value ? "true" : "false");

    /// <summary>A time, to the millisecond.</summary>
    public XmlAnswer Time(string name, DateTimeOffset value)
    {
        const int toMilliseconds = 23, all = 28;
        Begin(name);
        Reserve(all);
        value.UtcDateTime.TryFormat(content.AsSpan(length), out _, "O", CultureInfo.InvariantCulture);
        length += toMilliseconds;
        Put("Z"u8);
        return End(name);
    }

    /// <summary>A key, or what keys begin with, encoded if the client has asked for that.</summary>
    public XmlAnswer Key(string name, string? value) =>
        Text(name, value is null || !encodesKeys ? value : UriText.Encode(value, keepsSlash: true));

    public XmlAnswer Tag(string value)
    {
        Begin("ETag");
        Put("\""u8);
        PutText(value);
        Put("\""u8);
        return End("ETag");
    }

    public XmlAnswer Owner(string id, string name = "Owner") => Begin(name).Text("ID", id).Text("DisplayName", id).End(name);

    public XmlAnswer Element(string name, Action<XmlAnswer> write)
    {
        Begin(name);
        write(this);
        return End(name);
    }

    /// <summary>An element with a type, as access control lists have it.</summary>
    public XmlAnswer Typed(string name, string type, Action<XmlAnswer> write)
    {
        Put("<"u8);
        Put(name);
        Put(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\""u8);
        Put(type);
        Put("\">"u8);
        write(this);
        return End(name);
    }

    /// <summary>XML that was checked when it came in.</summary>
    public XmlAnswer Raw(string xml)
    {
        Put(xml);
        return this;
    }

    /// <summary>Sends it.</summary>
    public async Task SendAsync(HttpContext http, int status = StatusCodes.Status200OK)
    {
        End(root);
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/xml";
        http.Response.ContentLength = length;
        if (!HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(content.AsMemory(0, length), http.RequestAborted);
    }

    public void Dispose()
    {
        if (content.Length > 0) ArrayPool<byte>.Shared.Return(content);
        content = [];
    }

    // Invariant: whatever a value has, it stays text.
    void PutText(ReadOnlySpan<char> text)
    {
        while (text.IndexOfAny(Special) is var at and >= 0)
        {
            Put(text[..at]);
            switch (text[at])
            {
                case '<': Put("&lt;"u8); break;
                case '>': Put("&gt;"u8); break;
                case '&': Put("&amp;"u8); break;
                default: Put(string.Create(CultureInfo.InvariantCulture, $"&#x{(int)text[at]:X};")); break;
            }

            text = text[(at + 1)..];
        }

        Put(text);
    }

    void Put(ReadOnlySpan<char> text)
    {
        Reserve(Encoding.UTF8.GetMaxByteCount(text.Length));
        length += Encoding.UTF8.GetBytes(text, content.AsSpan(length));
    }

    void Put(ReadOnlySpan<byte> text)
    {
        Reserve(text.Length);
        text.CopyTo(content.AsSpan(length));
        length += text.Length;
    }

    void Reserve(int more)
    {
        if (content.Length - length >= more) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(2 * content.Length, length + more));
        content.AsSpan(0, length).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(content);
        content = larger;
    }
}
