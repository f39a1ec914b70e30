"""The fields that the objects of the make-believe org have, and the prefixes of their ids."""

from __future__ import annotations

PREFIX = {
    "User": "005", "UserRole": "00E", "Contact": "003", "Lead": "00Q", "Account": "001", "Opportunity": "006", "Task": "00T", "Event": "00U",
    "EmailMessage": "02s", "ContentNote": "069", "RecordType": "012", "OpportunityStage": "01J", "Organization": "00D", "LoginHistory": "0Ya",
    "OpportunityContactRole": "00K", "TaskRelation": "0RT", "EventRelation": "0RE", "EmailMessageRelation": "0DZ", "OpportunityHistory": "008",
    "OpportunityFieldHistory": "017", "ContactHistory": "01K", "AccountHistory": "01L", "LeadHistory": "01M", "DatedConversionRate": "04w",
    "CurrencyType": "0J1", "PermissionSet": "0PS", "PermissionSetAssignment": "0Pa",
}  # fmt: skip

_STAMPS = "IsDeleted OwnerId CreatedById CreatedBy.Username CreatedDate LastModifiedById LastModifiedBy.Username LastModifiedDate SystemModstamp"

POWERS = "PermissionsManageUsers PermissionsMonitorLoginHistory PermissionsViewAllData PermissionsQueryAllFiles"

_HISTORY = "Id IsDeleted Field CreatedById CreatedBy.Username CreatedDate OldValue NewValue"

FIELDS: dict[str, frozenset[str]] = {
    name: frozenset(text.split())
    for name, text in {
        "User": "Id Username Email Name IsActive UserType ManagerId TimeZoneSidKey UserRoleId UserRole.Name CreatedDate SystemModstamp",
        "UserRole": "Id Name ParentRoleId SystemModstamp",
        "Contact": f"Id {_STAMPS} MasterRecordId AccountId Email Phone MobilePhone OtherPhone HomePhone",
        "Lead": f"Id {_STAMPS} MasterRecordId Email Phone MobilePhone LeadSource IsConverted ConvertedContactId ConvertedDate",
        "Account": f"Id {_STAMPS} MasterRecordId Name Website Sales_Territory__c Market_Segment__c",
        "Opportunity": f"Id {_STAMPS} AccountId StageName Amount CloseDate HasOpenActivity CurrencyIsoCode RecordTypeId Sourced_By__c",
        "RecordType": "Id DeveloperName Name SobjectType SystemModstamp",
        "OpportunityStage": "Id ApiName MasterLabel IsActive IsClosed IsWon SortOrder SystemModstamp",
        "Task": f"Id {_STAMPS} WhoId WhatId AccountId TaskSubtype Type Status IsClosed CompletedDateTime ActivityDate CallType "
        "CallDurationInSeconds CallDisposition CallObject Call_Started__c Call_Number__c",
        "EmailMessage": f"Id {_STAMPS} ActivityId Activity.OwnerId RelatedToId MessageDate Incoming Status FromAddress ToAddress CcAddress "
        "BccAddress MessageIdentifier ThreadIdentifier IsBounced",
        "Event": f"Id {_STAMPS} WhoId WhatId AccountId StartDateTime EndDateTime IsChild IsAllDayEvent IsRecurrence GroupEventType "
        "Outcome__c Calendar_UID__c",
        "ContentNote": f"Id {_STAMPS.replace(' SystemModstamp', '')}",
        "TaskRelation": "Id IsDeleted SystemModstamp TaskId RelationId IsWhat",
        "EventRelation": "Id IsDeleted SystemModstamp EventId RelationId",
        "EmailMessageRelation": "Id IsDeleted SystemModstamp EmailMessageId RelationId RelationType",
        "OpportunityContactRole": "Id IsDeleted SystemModstamp OpportunityId ContactId",
        "OpportunityHistory": "Id IsDeleted OpportunityId StageName Amount CloseDate CreatedById CreatedBy.Username CreatedDate",
        "OpportunityFieldHistory": f"{_HISTORY} OpportunityId",
        "ContactHistory": f"{_HISTORY} ContactId",
        "AccountHistory": f"{_HISTORY} AccountId",
        "LeadHistory": f"{_HISTORY} LeadId",
        "LoginHistory": "Id UserId LoginTime LoginType Status Application",
        "Organization": "Id TimeZoneSidKey SystemModstamp",
        "DatedConversionRate": "Id IsoCode StartDate NextStartDate ConversionRate SystemModstamp",
        "CurrencyType": "Id IsoCode ConversionRate IsCorporate SystemModstamp",
        "PermissionSet": f"Id {POWERS}",
        "PermissionSetAssignment": f"Id AssigneeId PermissionSet.{POWERS.replace(' ', ' PermissionSet.')}",
    }.items()
}
