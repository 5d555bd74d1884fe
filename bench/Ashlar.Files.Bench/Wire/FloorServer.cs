using System.Globalization;
using System.Net;
using Ashlar.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Ashlar.Files.Bench;

/// <summary>
/// What the same web server does with nothing behind it: it sends files of a directory, and writes bodies into files there, which it makes
/// durable. It hashes nothing, keeps one copy, and knows nobody.
/// </summary>
static class FloorServer
{
    const int PieceBytes = 256 << 10;

    public static async Task RunAsync(int port, string directory)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        application.Run(context => HttpMethods.IsPut(context.Request.Method) ? PutAsync(context, directory) : GetAsync(context, directory));
        await application.RunAsync();
    }

    static async Task GetAsync(HttpContext context, string directory)
    {
        var path = PathOf(context, directory);
        var (offset, length) = (0L, new FileInfo(path).Length);
        if (context.Request.Headers.Range is [{ } range])
        {
            var ends = range["bytes=".Length..].Split('-');
            offset = long.Parse(ends[0], CultureInfo.InvariantCulture);
            length = long.Parse(ends[1], CultureInfo.InvariantCulture) - offset + 1;
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
        }

        context.Response.ContentLength = length;
        await context.Response.SendFileAsync(path, offset, length, context.RequestAborted);
    }

    static async Task PutAsync(HttpContext context, string directory)
    {
        var path = PathOf(context, directory);
        using (var file = FileSystems.Real.Open(path, FileOpenMode.OpenOrCreate))
        {
            var piece = new byte[(int)Math.Min(PieceBytes, Math.Max(1, context.Request.ContentLength ?? PieceBytes))];
            var place = 0L;
            while (await context.Request.Body.ReadAtLeastAsync(piece, piece.Length, false) is var read and > 0)
            {
                file.Write(piece.AsSpan(0, read), place);
                if (place > 0 && place % (4 << 20) == 0) file.StartWriteBack(place - (4 << 20), 4 << 20);
                place += read;
            }

            file.Sync();
        }

        // A name that a crash takes is no file that was stored.
        FileSystems.Real.SyncDirectory(directory);
    }

    static string PathOf(HttpContext context, string directory) => Path.Combine(directory, Path.GetFileName(context.Request.Path.Value!));
}
