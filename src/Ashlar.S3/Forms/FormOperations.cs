using Ashlar.Files;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>Objects that browsers send as a form, which carries a policy that somebody with a key has signed.</summary>
sealed class FormOperations(S3Services services, Verifier verifier)
{
    const string FileNameVariable = "${filename}";

    public async Task PostAsync(S3Request request)
    {
        if (Verifier.ShowsProof(request.Http.Request.Headers, request.Target))
            throw S3Error.InvalidArgument.Because("A form is signed by its fields alone.");
        await using var body = RequestBody.Open(request);
        var form = await ReadFieldsAsync(request, body);
        if (form.Find("key") is null) throw S3Error.InvalidArgument.Because("The field 'key' is missing.");
        var policy = await AuthorizeAsync(request, form);
        request.Confirm = () => verifier.ConfirmAsync(request.Caller, FileRights.Write, request.Cancelled);
        await Dispatcher.LoadBucketAsync(services, request);
        CorsAnswers.Add(request, request.BucketProperties);
        var key = form.Find("key")!.Replace(FileNameVariable, form.FileName, StringComparison.Ordinal);
        if (key.Length == 0 || key.EndsWith('/'))
            throw S3Error.InvalidArgument.Because("The field 'key' is empty, or ends in a slash.");
        if (form.Find(Verifier.TokenName) is not null) throw S3Error.InvalidToken.Exception();
        if (form.Find("acl") is { } list && list is not ("private" or "bucket-owner-full-control"))
            throw S3Error.AccessControlListNotSupported.Exception();
        // Fields mean what the headers of their names mean, and are refused where those are.
        using var check = new ContentCheck(ContentExpectation.Of(form.Values, trailer: null));
        var create = new CreateFileOptions
        {
            Condition = CommitCondition.Replace,
            Check = check,
            Properties = PropertiesOf(form),
            CreateParents = true,
        };
        var path = S3Request.PathOf(request.Bucket!, key);
        await using var content = new BoundedContent(request, form.File, policy.Length.Least, Math.Min(
            policy.Length.Most, MultipartLimits.MaxPartBytes));
        var entry = await WriteOperations.WriteAsync(
            create.Condition, () => services.Files.CreateFileAsync(request.Customer, path, content, create, request.Cancelled));
        await AnswerAsync(request, form, key, entry);
    }

    // Nobody has proved anything yet: it takes no longer than it has to.
    async Task<FormFields> ReadFieldsAsync(S3Request request, RequestBody body)
    {
        using var limit = new CancellationTokenSource(services.Options.ProofLimit, services.Options.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, request.Cancelled);
        try
        {
            return await FormFields.ReadAsync(request.Http.Request.ContentType, body.Content, either.Token);
        }
        catch (OperationCanceledException late) when (limit.IsCancellationRequested && !request.Cancelled.IsCancellationRequested)
        {
            throw BodyLimits.TooSlow(late);
        }
    }

    async Task<FormPolicy> AuthorizeAsync(S3Request request, FormFields form)
    {
        var text = form.Find("policy") ?? throw S3Error.AccessDenied.Because("The form has no policy.");
        request.Caller = await verifier.VerifyFormAsync(
            text, form.Find("x-amz-algorithm") ?? "", form.Find("x-amz-credential") ?? "", form.Find("x-amz-date") ?? "",
            form.Find("x-amz-signature") ?? "", request.Cancelled);
        var json = new byte[text.Length];
        if (!Convert.TryFromBase64String(text, json, out var length))
            throw new S3Exception(new("InvalidPolicyDocument", 400, ""), "The policy is not in Base64.");
        var policy = FormPolicy.Parse(json[..length]);
        if (policy.ExpiresAt <= services.Options.TimeProvider.GetUtcNow()) throw FormPolicy.Denied("it has expired");
        // The bucket is that of the path, and the policy has to be of it.
        var fields = new Dictionary<string, string>(form.Values, StringComparer.Ordinal);
        if (fields.TryGetValue("bucket", out var named) && named != request.Bucket) throw FormPolicy.Denied("it is of another bucket");
        fields["bucket"] = request.Bucket!;
        policy.Require(fields);
        if (!request.Caller.Rights.HasFlag(FileRights.Write)) throw S3Error.AccessDenied.Exception();
        return policy;
    }

    static FileProperties PropertiesOf(FormFields form)
    {
        var properties = ObjectProperties.Of(form.Values).ToDictionary(StringComparer.Ordinal);
        if (form.Find("tagging") is { } tagging)
        {
            var xml = XmlBody.Parse(System.Text.Encoding.UTF8.GetBytes(tagging), "Tagging");
            properties[Tagging.Property] = Tagging.ParseXml(xml, Tagging.MaxOfObject);
        }

        if (properties.Values.Any(value => value.Any(char.IsControl)))
            throw S3Error.InvalidArgument.Because("A field has characters that headers have not.");
        return FileProperties.Of(properties);
    }

    static async Task AnswerAsync(S3Request request, FormFields form, string key, NamespaceEntry entry)
    {
        var response = request.Response;
        var place = request.UrlOf(key);
        response.Headers.ETag = $"\"{entry.Tag}\"";
        response.Headers.Location = place;
        var redirect = form.Find("success_action_redirect") ?? form.Find("redirect");
        if (Uri.TryCreate(redirect, UriKind.Absolute, out var target) && target.Scheme is "http" or "https")
        {
            var query = $"bucket={UriText.Encode(request.Bucket!)}&key={UriText.Encode(key)}&etag={UriText.Encode($"\"{entry.Tag}\"")}";
            response.Headers.Location = new UriBuilder(target)
            {
                Query = target.Query.Length > 1
                ? $"{target.Query[1..]}&{query}" : query
            }.Uri.AbsoluteUri;
            response.StatusCode = StatusCodes.Status303SeeOther;
            return;
        }

        switch (form.Find("success_action_status"))
        {
            case "200":
                return;
            case "201":
                using (var answer = new XmlAnswer("PostResponse", hasNamespace: false))
                {
                    await answer.Text("Location", place).Text("Bucket", request.Bucket).Text("Key", key).Tag(entry.Tag)
                        .SendAsync(request.Http, StatusCodes.Status201Created);
                }

                return;
            default:
                response.StatusCode = StatusCodes.Status204NoContent;
                return;
        }
    }

    /// <summary>Content whose length the policy bounds.</summary>
    sealed class BoundedContent(S3Request request, Stream source, long least, long most) : ReadOnlyStream
    {
        long total;

        public override async ValueTask<int> ReadAsync(Memory<byte> destination, CancellationToken cancellationToken = default)
        {
            var read = await source.ReadAsync(destination, cancellationToken);
            total += read;
            if (total > most) throw S3Error.EntityTooLarge.Because($"The content has more than {most} bytes.");
            if (read == 0 && total < least && !destination.IsEmpty)
                throw S3Error.EntityTooSmall.Because($"The content has less than {least} bytes.");
            if (read == 0 && !destination.IsEmpty) await request.ConfirmAsync();
            return read;
        }
    }
}
